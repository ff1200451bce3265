#include "plugin/library_call.h"

#include <cmath>
#include <exception>

#include "base/error.h"
#include "base/random.h"
#include "base/stop.h"
#include "base/utf8.h"

namespace hone {

LibrarySettings library_settings(std::string name, std::vector<std::pair<std::string, std::string>> config,
                                 std::uint64_t seed) {
  LibrarySettings settings;
  settings.key = stream_key(seed, "plugin/" + name);
  settings.log = [name](LogLevel level, std::string_view text) {
    log_message(level, fmt::format("{}: {}", name, text));
  };
  settings.cancelled = [] { return stop_signal() != 0; };
  settings.name = std::move(name);
  settings.config = std::move(config);
  return settings;
}

namespace {

/// The score, or an error when it cannot be used: values must fit float32, spans end within a completion of the
/// episode.
Score checked(Score score, const Episode& episode) {
  const auto fits = [](double value) { return std::isfinite(static_cast<float>(value)); };
  if (!fits(score.value)) return Score::error(fmt::format("the value is {}", score.value), "not_finite");
  for (const auto& [name, value] : score.parts) {
    if (!fits(value)) return Score::error(fmt::format("the part {} is {}", name, value), "not_finite");
  }
  for (const ScoreSpan& span : score.spans) {
    if (!fits(span.value)) return Score::error(fmt::format("the value of a span is {}", span.value), "not_finite");
    if (span.turn < 0 || span.turn >= static_cast<std::int64_t>(episode.turns.size())) {
      return Score::error(fmt::format("a span is in turn {} of {}", span.turn, episode.turns.size()), "protocol");
    }
    const std::size_t tokens = episode.turns[static_cast<std::size_t>(span.turn)].completion.ids.size();
    if (span.end_token < 1 || span.end_token > static_cast<std::int64_t>(tokens)) {
      return Score::error(fmt::format("a span ends at token {} of {}", span.end_token, tokens), "protocol");
    }
  }
  return score;
}

}  // namespace

}  // namespace hone

using hone::Score;
using hone::ScoreStatus;

std::string hone_call::run(const std::function<std::int32_t()>& function) {
  try {
    const std::int32_t status = function();
    if (status == HONE_OK) return "";
    const std::lock_guard<std::mutex> lock(mutex_);
    return failure_.empty() ? fmt::format("the plug-in failed (status {}) without saying why", status) : failure_;
  } catch (const std::exception& error) {
    return fmt::format("the plug-in threw: {}", hone::valid_utf8(error.what()));
  } catch (...) {
    return "the plug-in threw an exception";
  }
}

std::vector<Score> hone_call::scores(const std::string& failure, std::span<const hone::Episode* const> episodes) {
  HONE_ASSERT(episodes.size() == slots_.size());
  if (!failure.empty()) return std::vector<Score>(slots_.size(), Score::error(failure));
  if (!flaw_.empty()) return std::vector<Score>(slots_.size(), Score::error(flaw_, "protocol"));
  std::vector<Score> scores;
  scores.reserve(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) scores.push_back(verdict(slots_[i], i, *episodes[i]));
  return scores;
}

Score hone_call::verdict(Slot& slot, std::size_t item, const hone::Episode& episode) const {
  if (slot.verdicts == 0) {
    return Score::error(fmt::format("the plug-in gave no verdict on item {} of {}", item, slots_.size()), "protocol");
  }
  if (slot.verdicts > 1) {
    return Score::error(fmt::format("the plug-in gave {} verdicts on item {}", slot.verdicts, item), "protocol");
  }
  if (slot.score.status != ScoreStatus::ok) return std::move(slot.score);
  return hone::checked(std::move(slot.score), episode);
}

hone_text hone_call::keep(std::string text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string& kept = *kept_.emplace_back(std::make_unique<std::string>(std::move(text)));
  return {kept.c_str(), kept.size()};
}

void hone_call::set_failure(std::string why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  failure_ = std::move(why);
}

void hone_call::set_flaw(std::string why) {
  const std::lock_guard<std::mutex> lock(mutex_);
  flaw_ = std::move(why);
}

hone_call::Slot* hone_call::slot(std::uint64_t item) {
  if (item < slots_.size()) return &slots_[item];
  set_flaw(fmt::format("the plug-in spoke of item {}, but the call has {}, counted from 0", item, slots_.size()));
  return nullptr;
}

void hone_call::set_verdict(std::uint64_t item, Score verdict) {
  Slot* const at = slot(item);
  if (at == nullptr) return;
  ++at->verdicts;
  at->score.value = verdict.value;
  at->score.status = verdict.status;
  at->score.reason = std::move(verdict.reason);
  if (!verdict.note.empty()) add_note(item, std::move(verdict.note));
}

void hone_call::add_note(std::uint64_t item, std::string text) {
  Slot* const at = slot(item);
  if (at == nullptr) return;
  if (!at->score.note.empty()) at->score.note += "; ";
  at->score.note += text;
}

void hone_call::add_part(std::uint64_t item, std::string name, double value) {
  Slot* const at = slot(item);
  if (at != nullptr) at->score.parts.emplace_back(std::move(name), value);
}

void hone_call::add_span(std::uint64_t item, hone::ScoreSpan span) {
  Slot* const at = slot(item);
  if (at != nullptr) at->score.spans.push_back(span);
}
