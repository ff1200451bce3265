#include "plugin/trial.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t megabyte = 1 << 20;
constexpr int most_turns = 100;
constexpr std::size_t shown = 200;  // bytes of a note

Episode ask(std::int64_t group, std::string prompt, std::string completion, Json reference) {
  Episode episode;
  episode.prompt.id = static_cast<std::uint64_t>(group) * 2;
  episode.prompt.text = std::move(prompt);
  episode.prompt.reference = std::move(reference);
  episode.group = group;
  episode.turns.emplace_back();
  episode.turns[0].completion.text = std::move(completion);
  episode.turns[0].completion.ids.assign(1 + episode.turns[0].completion.text.size() / 4, 1);
  return episode;
}

Json answer(std::string_view text) {
  Json reference = Json::object();
  reference.set("answer", text);
  return reference;
}

/// Sums with right and wrong answers.
std::vector<Episode> ordinary(std::int64_t count) {
  std::vector<Episode> episodes;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string right = std::to_string(2 * i + 1);
    episodes.push_back(ask(i, fmt::format("{}+{}=", i, i + 1), i % 2 == 0 ? right : right + "0", answer(right)));
  }
  return episodes;
}

bool same(const Score& a, const Score& b) {
  return a.status == b.status && (a.value == b.value || (std::isnan(a.value) && std::isnan(b.value)));
}

/// What is wrong with the verdicts, or "".
std::string flaw_in(const std::vector<Score>& scores, std::size_t expected) {
  if (scores.size() != expected) return fmt::format("{} scores for {} episodes", scores.size(), expected);
  for (const Score& score : scores) {
    const bool failed = score.status == ScoreStatus::error;
    if (failed && score.reason != "exception") return fmt::format("{}: {}", score.reason, score.note.substr(0, shown));
    if (score.status == ScoreStatus::ok && !std::isfinite(score.value)) return fmt::format("the value {}", score.value);
  }
  return "";
}

std::string summary_of(const std::vector<Score>& scores) {
  std::int64_t ok = 0, abstained = 0;
  double sum = 0;
  std::string note;
  for (const Score& score : scores) {
    if (score.status == ScoreStatus::ok) {
      ++ok;
      sum += score.value;
    } else if (score.status == ScoreStatus::abstain) {
      ++abstained;
    } else if (note.empty()) {
      note = "; error: " + score.note.substr(0, shown);
    }
  }
  const auto errors = static_cast<std::int64_t>(scores.size()) - ok - abstained;
  std::string text = ok > 0 ? fmt::format("{} scored, mean {:.4g}", ok, sum / static_cast<double>(ok)) : "0 scored";
  if (abstained > 0) text += fmt::format(", {} abstained", abstained);
  if (errors > 0) text += fmt::format(", {} errors", errors);
  return text + note;
}

/// Scores them in one call; a reward of groups gets whole groups, for each episode here is one.
TrialLine try_batch(Reward& reward, const std::string& what, const std::vector<Episode>& episodes, bool must_score = false) {
  const Clock::time_point start = Clock::now();
  std::vector<Score> scores;
  try {
    scores = reward.score(episodes);
  } catch (const std::exception& error) {
    return {what, false, error.what()};
  }
  std::string flaw = flaw_in(scores, episodes.size());
  const bool none = std::ranges::all_of(scores, [](const Score& s) { return s.status == ScoreStatus::error; });
  if (flaw.empty() && must_score && none) flaw = "every ordinary episode is an error: " + scores[0].note.substr(0, shown);
  if (!flaw.empty()) return {what, false, flaw};
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return {what, true, fmt::format("{} ({})", summary_of(scores), format_duration(seconds))};
}

TrialLine try_cuts(Reward& reward) {
  const std::string what = "the same alone, together and again";
  const std::vector<Episode> episodes = ordinary(6);
  const std::vector<Score> together = reward.score(episodes), again = reward.score(episodes);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    if (!same(together[i], again[i])) {
      return {what, false, fmt::format("{} the first time, {} the second; use the item's seed for random numbers, or declare "
                                       "it random (--random)", together[i].value, again[i].value)};
    }
    if (reward.scope() != RewardScope::sample) continue;
    const Score alone = reward.score(std::span(episodes).subspan(i, 1))[0];
    if (!same(together[i], alone)) {
      return {what, false, fmt::format("{} in a batch, {} alone; a reward that compares episodes must declare its scope",
                                       together[i].value, alone.value)};
    }
  }
  return {what, true, ""};
}

Environment::Step play(Environment& environment, const Prompt& prompt, const std::string& completion, int& turns) {
  Episode episode;
  episode.prompt = prompt;
  Environment::Step step;
  for (turns = 1; turns <= most_turns; ++turns) {
    Turn& turn = episode.turns.emplace_back();
    turn.completion.text = completion;
    turn.completion.ids.assign(1 + completion.size() / 4, 1);
    step = environment.step(episode);
    if (step.done || !step.failure.empty()) break;
    turn.reply = step.reply;
    turn.reward = step.reward;
  }
  return step;
}

TrialLine try_play(Environment& environment, const std::string& what, const Prompt& prompt, const std::string& completion) {
  int turns = 0;
  const Environment::Step step = play(environment, prompt, completion, turns);
  if (!step.failure.empty()) return {what, false, step.failure};
  const std::string end = step.done ? fmt::format("ended after {} turns", turns) : fmt::format("goes on after {} turns", most_turns);
  return {what, true, step.reward ? fmt::format("{}, last reward {}", end, *step.reward) : end};
}

}  // namespace

std::vector<TrialLine> try_reward(Reward& reward, bool random) {
  const Json twelve = answer("12");
  std::vector<TrialLine> lines;
  lines.push_back(try_batch(reward, "8 ordinary episodes", ordinary(8), true));
  lines.push_back(try_batch(reward, "256 ordinary episodes", ordinary(256), true));
  lines.push_back(try_batch(reward, "an empty completion", {ask(0, "6+6=", "", twelve)}));
  lines.push_back(try_batch(reward, "a completion of 1 MB", {ask(0, "6+6=", std::string(megabyte, 'x'), twelve)}));
  lines.push_back(try_batch(reward, "1 MB of line ends", {ask(0, "6+6=", std::string(megabyte, '\n'), twelve)}));
  lines.push_back(try_batch(reward, "broken UTF-8 as U+FFFD, emoji, controls",
                            {ask(0, "6+6=", "\uFFFD\uFFFD", twelve), ask(1, "6+6=", "👩‍👩‍👧‍👦 \u202E12", twelve),
                             ask(2, "6+6=", std::string("1\0002", 3), twelve), ask(3, "6+6=", "\r\n\t\x1b[2J", twelve)}));
  lines.push_back(try_batch(reward, "a prompt without reference", {ask(0, "6+6=", "12", Json())}));
  lines.push_back(try_batch(reward, "the same episode 4 times", std::vector<Episode>(4, ask(0, "6+6=", "12", twelve))));
  const bool fine = std::ranges::all_of(lines, &TrialLine::good);
  if (fine && !random) lines.push_back(try_cuts(reward));
  return lines;
}

std::vector<TrialLine> try_environment(Environment& environment) {
  const std::uint64_t train = environment.size(Split::train), held_out = environment.size(Split::held_out);
  std::vector<TrialLine> lines;
  lines.push_back({"prompts", train > 0, fmt::format("{} to train, {} held out", train, held_out)});
  if (train == 0) return lines;
  const Prompt prompt = environment.prompt(Split::train, 0);
  const Prompt again = environment.prompt(Split::train, 0);
  const bool equal = again.text == prompt.text && again.reference == prompt.reference;
  lines.push_back({"the same prompt when asked again", equal, equal ? prompt.text.substr(0, shown) : "another one; make it a "
                   "function of split, index and seed alone"});
  if (held_out > 0) lines.push_back({"a held-out prompt", true, environment.prompt(Split::held_out, 0).text.substr(0, shown)});
  if (const auto shown_answer = environment.demonstration(prompt)) {
    lines.push_back(try_play(environment, "its own demonstration", prompt, *shown_answer));
  }
  lines.push_back(try_play(environment, "a wrong answer", prompt, "I do not know"));
  lines.push_back(try_play(environment, "an empty answer", prompt, ""));
  lines.push_back(try_play(environment, "an answer of 1 MB", prompt, std::string(megabyte, 'x')));
  lines.push_back(try_play(environment, "controls and emoji", prompt, "\uFFFD👩‍👩‍👧‍👦\x1b[2J"));
  return lines;
}

double CallTimes::scores_per_second() const {
  return static_cast<double>(batch) * static_cast<double>(seconds.size()) /
         std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

double CallTimes::quantile(double share) const {
  return seconds[static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1) + 0.5)];
}

CallTimes time_calls(Reward& reward, std::int64_t batch, double seconds) {
  std::vector<Episode> episodes = ordinary(batch);
  CallTimes times{batch, {}};
  reward.score(episodes);  // starts what starts late
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  while (times.seconds.size() < 3 || std::chrono::duration<double>(last - begin).count() < seconds) {
    // Other seeds for every call: a service may know the answer to a request that it has seen.
    for (Episode& episode : episodes) episode.visit = times.seconds.size() + 1;
    const std::vector<Score> scores = reward.score(episodes);
    for (const Score& score : scores) {
      if (score.status == ScoreStatus::error) fail(ErrorKind::service, "an episode failed: {}", score.note);
    }
    const Clock::time_point now = Clock::now();
    times.seconds.push_back(std::chrono::duration<double>(now - last).count());
    last = now;
  }
  std::ranges::sort(times.seconds);
  return times;
}

}  // namespace hone
