#include "rollout/scoring.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone {

namespace {

bool usable(double value) { return std::isfinite(static_cast<float>(value)); }

/// What makes a verdict unusable, or "". Values must fit float32, spans must end within a completion of the episode.
std::string flaw_of(const Score& part, const Episode& episode) {
  if (!usable(part.value)) return fmt::format("the value is {}", part.value);
  for (const ScoreSpan& span : part.spans) {
    if (!usable(span.value)) return fmt::format("the value of a span is {}", span.value);
    if (span.turn < 0 || span.turn >= static_cast<std::int64_t>(episode.turns.size())) {
      return fmt::format("a span is in turn {} of {}", span.turn, episode.turns.size());
    }
    const std::size_t tokens = episode.turns[static_cast<std::size_t>(span.turn)].completion.ids.size();
    if (span.end_token < 1 || span.end_token > static_cast<std::int64_t>(tokens)) {
      return fmt::format("a span ends at token {} of {}", span.end_token, tokens);
    }
  }
  return "";
}

void add_note(Score& sum, std::string_view name, std::string_view note) {
  if (note.empty()) return;
  sum.note += fmt::format("{}{}{}{}", sum.note.empty() ? "" : "; ", name, name.empty() ? "" : ": ", note);
}

void fail_sum(Score& sum, std::string_view name, std::string_view why, std::string_view reason) {
  if (sum.status != ScoreStatus::error) sum.reason = reason;
  sum.status = ScoreStatus::error;
  add_note(sum, name, why);
}

/// Adds one reward's verdict to the episode's sum. `share` is what its value is worth there.
void add_part(Score& sum, const std::string& name, double share, double span_factor, const Score& part) {
  if (part.status == ScoreStatus::error) {
    fail_sum(sum, name, part.note, part.reason);
    return;
  }
  add_note(sum, name, part.note);
  if (part.status == ScoreStatus::abstain) return;
  sum.value += share;
  sum.parts.emplace_back(name, part.value);
  for (const auto& [sub, value] : part.parts) sum.parts.emplace_back(name + "/" + sub, value);
  for (ScoreSpan span : part.spans) {
    span.value *= span_factor;
    sum.spans.push_back(span);
  }
  if (sum.status == ScoreStatus::abstain) sum.status = ScoreStatus::ok;
}

/// Marks a sum that is no number, though each part was one: a weight took it beyond float32.
void check_sum(Score& sum) {
  const auto finite = [](const ScoreSpan& span) { return usable(span.value); };
  if (sum.status != ScoreStatus::ok || (usable(sum.value) && std::ranges::all_of(sum.spans, finite))) return;
  fail_sum(sum, "", "the weighted sum does not fit float32", "not_finite");
}

}  // namespace

void RewardSum::Moments::add(double value) {
  ++count;
  const double difference = value - mean;
  mean += difference / count;
  squares += difference * (value - mean);
}

double RewardSum::Moments::standardized(double value) const {
  const double deviation = count < 2 ? 0 : std::sqrt(squares / (count - 1));
  return (value - mean) / (deviation + 1e-6);
}

RewardSum::RewardSum(const std::vector<std::unique_ptr<RewardSpec>>& specs, const Services& services) {
  if (specs.empty()) fail(ErrorKind::config, "rewards: expected at least one reward, got none");
  for (const auto& spec : specs) {
    std::unique_ptr<Reward> reward = spec->make(services);
    auto permits = std::make_unique<std::counting_semaphore<>>(std::max<std::int64_t>(1, reward->calls_at_once()));
    parts_.push_back({spec->name, spec->term, std::move(reward), {}, std::move(permits)});
  }
  for (const Part& part : parts_) {
    if (part.term.only_if && index_of(*part.term.only_if) == parts_.size()) {
      fail(ErrorKind::config, "rewards: only_if of '{}' names the reward '{}', which there is not", part.name,
           *part.term.only_if);
    }
  }
}

std::size_t RewardSum::index_of(const std::string& name) const {
  return static_cast<std::size_t>(std::ranges::find(parts_, name, &Part::name) - parts_.begin());
}

void RewardSum::score(std::span<Episode> episodes, ScoreUse use) { Scoring(*this, episodes).finish(use); }

void RewardSum::close_gates(std::vector<Verdicts>& verdicts) const {
  const std::vector<Verdicts> seen = verdicts;  // a gate looks at values, not at what other gates left of them
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const RewardTerm& term = parts_[p].term;
    if (!term.only_if) continue;
    const Verdicts& gate = seen[index_of(*term.only_if)];
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const bool open = gate[i].status == ScoreStatus::ok && gate[i].value > term.only_if_above;
      if (!open && verdicts[p][i].status == ScoreStatus::ok) verdicts[p][i] = Score::abstain("");
    }
  }
}

std::vector<double> RewardSum::worth(Part& part, const Verdicts& verdicts, ScoreUse use) {
  const RewardTerm& term = part.term;
  std::vector<double> values(verdicts.size(), 0);
  Moments batch;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (verdicts[i].status != ScoreStatus::ok) continue;
    values[i] = verdicts[i].value;
    if (!term.clip.empty()) values[i] = std::clamp(values[i], term.clip[0], term.clip[1]);
    batch.add(values[i]);
    if (use == ScoreUse::training && term.normalize == Normalize::running) part.seen.add(values[i]);
  }
  if (use == ScoreUse::evaluation || term.normalize == Normalize::off) return values;
  const Moments& moments = term.normalize == Normalize::batch ? batch : part.seen;
  for (double& value : values) value = moments.standardized(value);
  return values;
}

void RewardSum::count_error(const std::string& part, const std::string& reason) {
  const std::string name = fmt::format("{}/errors/{}", part, reason.empty() ? "exception" : reason);
  const auto found = std::ranges::find(errors_, name, &std::pair<std::string, double>::first);
  if (found == errors_.end()) {
    errors_.emplace_back(name, 1);
  } else {
    ++found->second;
  }
}

void RewardSum::combine(std::span<Episode> episodes, std::vector<Verdicts>& verdicts, ScoreUse use) {
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    for (std::size_t i = 0; i < episodes.size(); ++i) {
      Score& verdict = verdicts[p][i];
      const std::string flaw = verdict.status == ScoreStatus::ok ? flaw_of(verdict, episodes[i]) : "";
      if (!flaw.empty()) verdict = Score::error(flaw, "not_finite");
      if (verdict.status == ScoreStatus::error) count_error(parts_[p].name, verdict.reason);
    }
  }
  close_gates(verdicts);
  for (Episode& episode : episodes) episode.score = Score::abstain("");
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const double weight = parts_[p].term.weight_at(iteration_);
    const std::vector<double> values = worth(parts_[p], verdicts[p], use);
    for (std::size_t i = 0; i < episodes.size(); ++i) {
      add_part(episodes[i].score, parts_[p].name, weight * values[i], weight, verdicts[p][i]);
    }
  }
  for (Episode& episode : episodes) {
    if (episode.score.status == ScoreStatus::abstain) {
      episode.score.note = "every reward abstained" + (episode.score.note.empty() ? "" : "; " + episode.score.note);
      fail_sum(episode.score, "", "", "abstained");
    }
    check_sum(episode.score);
    if (!episode.failure.empty()) fail_sum(episode.score, "", episode.failure, "environment");
  }
}

std::vector<std::string> RewardSum::names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) names.push_back(part.name);
  return names;
}

std::vector<std::pair<std::string, double>> RewardSum::take_metrics() {
  std::vector<std::pair<std::string, double>> metrics = std::exchange(errors_, {});
  for (const Part& part : parts_) {
    for (const auto& [name, value] : part.reward->take_metrics()) metrics.emplace_back(part.name + "/" + name, value);
  }
  for (auto& [name, value] : metrics) name = "rewards/" + name;
  return metrics;
}

std::vector<double> RewardSum::statistics() const {
  std::vector<double> numbers;
  for (const Part& part : parts_) numbers.insert(numbers.end(), {part.seen.count, part.seen.mean, part.seen.squares});
  return numbers;
}

void RewardSum::restore_statistics(std::span<const double> numbers) {
  HONE_ASSERT(numbers.size() == 3 * parts_.size());
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    parts_[p].seen = {.count = numbers[3 * p], .mean = numbers[3 * p + 1], .squares = numbers[3 * p + 2]};
  }
}

std::int64_t count_errors(std::span<const Episode> episodes) {
  return std::count_if(episodes.begin(), episodes.end(),
                       [](const Episode& episode) { return episode.score.status == ScoreStatus::error; });
}

}  // namespace hone
