#include "plugin/text_reward.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 4> known_fields{"completion", "prompt", "answer", "seed"};

std::string answer_of(const Json& reference) {
  const Json* answer = reference.is_string() ? &reference : reference.find("answer");
  if (answer == nullptr) return reference.is_null() ? "" : reference.dump();
  return answer->is_string() ? answer->as_string() : answer->dump();
}

std::string field_of(const Episode& episode, std::string_view field, std::uint64_t key) {
  if (field == "prompt") return episode.prompt.text;
  if (field == "answer") return answer_of(episode.prompt.reference);
  if (field == "seed") return std::to_string(episode_seed(key, episode));
  return episode.completion_text();
}

Score score_from_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  while (line.starts_with(' ')) line.remove_prefix(1);
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line == "abstain") return Score::abstain("");
  if (line.starts_with("error")) return Score::error(valid_utf8(line.substr(std::min<std::size_t>(line.size(), 6))));
  if (line.starts_with('+')) line.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (problem == std::errc() && end == line.data() + line.size()) return {.value = value};
  return Score::error(fmt::format("expected a number, got: {}", valid_utf8(line.substr(0, 100))), "protocol");
}

}  // namespace

TextReward::TextReward(WorkerSpec spec, const PoolOptions& options, std::vector<std::string> fields, std::uint64_t key)
    : spec_(std::move(spec)),
      fields_(std::move(fields)),
      workers_(options.workers),
      batch_(options.batch),
      seconds_(options.timeout.count),
      key_(key) {
  spec_.process.separate_replies = false;
}

bool TextReward::knows(const std::string& field) { return std::ranges::find(known_fields, field) != known_fields.end(); }

/// A NUL within a text would shift everything behind it, so it travels as U+FFFD.
std::string TextReward::input_for(std::span<const Episode> episodes) const {
  std::string input;
  for (const Episode& episode : episodes) {
    for (const std::string& field : fields_) {
      for (const char c : field_of(episode, field, key_)) {
        if (c == 0) {
          input += "\uFFFD";
        } else {
          input += c;
        }
      }
      input += '\0';
    }
  }
  return input;
}

std::vector<Score> TextReward::score(std::span<const Episode> episodes) {
  const auto all_failed = [&](std::string why, std::string reason) {
    return std::vector<Score>(episodes.size(), Score::error(std::move(why), std::move(reason)));
  };
  ProcessIo io(spec_.name, spec_.process, spec_.max_reply_bytes);
  io.send(input_for(episodes), true);
  std::vector<Score> scores;
  const Deadline deadline = seconds_from_now(seconds_);
  while (true) {
    const ProcessIo::Event event = io.wait(deadline);
    if (event == ProcessIo::Event::line) {
      if (scores.size() == episodes.size()) return all_failed("printed more lines than there are completions", "protocol");
      scores.push_back(score_from_line(io.line()));
      continue;
    }
    if (event == ProcessIo::Event::stopped) return all_failed("hone is stopping", "stopped");
    if (event == ProcessIo::Event::late) return all_failed("took too long" + io.last_lines(), "timeout");
    if (event == ProcessIo::Event::long_line) return all_failed("printed a line longer than max_reply", "protocol");
    const std::string ending = io.ending();
    if (!ending.starts_with("ended with exit code 0")) return all_failed(ending, "crash");
    if (scores.size() == episodes.size()) return scores;
    return all_failed(fmt::format("printed {} lines for {} completions", scores.size(), episodes.size()), "protocol");
  }
}

}  // namespace hone
