#include "rollout/scoring.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "base/error.h"

namespace hone {

namespace {

/// Borders of the calls that a scope asks for: one for all, or one a group.
std::vector<std::size_t> call_borders(std::span<const Episode> episodes, RewardScope scope) {
  std::vector<std::size_t> borders{0};
  if (scope == RewardScope::group) {
    for (std::size_t i = 1; i < episodes.size(); ++i) {
      if (episodes[i].group != episodes[i - 1].group) borders.push_back(i);
    }
  }
  borders.push_back(episodes.size());
  return borders;
}

std::vector<Score> call_reward(Reward& reward, std::span<const Episode> episodes) {
  try {
    std::vector<Score> scores = reward.score(episodes);
    if (scores.size() == episodes.size()) return scores;
    const std::string why = fmt::format("returned {} scores for {} episodes", scores.size(), episodes.size());
    return std::vector<Score>(episodes.size(), Score::error(why));
  } catch (const std::exception& error) {
    return std::vector<Score>(episodes.size(), Score::error(error.what()));
  }
}

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

/// Adds one reward's verdict to the episode's sum.
void add_part(Episode& episode, const std::string& name, double weight, const Score& part) {
  Score& sum = episode.score;
  ScoreStatus status = part.status;
  std::string note = part.note;
  if (status == ScoreStatus::ok) {
    if (const std::string flaw = flaw_of(part, episode); !flaw.empty()) {
      status = ScoreStatus::error;
      note = flaw;
    }
  }
  if (status == ScoreStatus::ok) {
    sum.value += weight * part.value;
    sum.parts.emplace_back(name, part.value);
    for (ScoreSpan span : part.spans) {
      span.value *= weight;
      sum.spans.push_back(span);
    }
    if (sum.status == ScoreStatus::abstain) sum.status = ScoreStatus::ok;
  } else if (status == ScoreStatus::error) {
    sum.status = ScoreStatus::error;
  }
  if (!note.empty()) sum.note += fmt::format("{}{}: {}", sum.note.empty() ? "" : "; ", name, note);
}

/// Marks a sum that is no number, though each part was one: a weight took it beyond float32.
void check_sum(Score& sum) {
  const auto finite = [](const ScoreSpan& span) { return usable(span.value); };
  if (sum.status != ScoreStatus::ok || (usable(sum.value) && std::ranges::all_of(sum.spans, finite))) return;
  sum.status = ScoreStatus::error;
  sum.note += fmt::format("{}the weighted sum does not fit float32", sum.note.empty() ? "" : "; ");
}

}  // namespace

RewardSum::RewardSum(const std::vector<std::unique_ptr<RewardSpec>>& specs, const Services& services) {
  if (specs.empty()) fail(ErrorKind::config, "rewards: expected at least one reward, got none");
  for (const auto& spec : specs) parts_.push_back({spec->name, spec->weight, spec->make(services)});
}

void RewardSum::score(std::span<Episode> episodes) {
  for (Episode& episode : episodes) episode.score = Score::abstain("");
  for (const Part& part : parts_) {
    const std::vector<std::size_t> borders = call_borders(episodes, part.reward->scope());
    for (std::size_t call = 0; call + 1 < borders.size(); ++call) {
      const std::span<Episode> members = episodes.subspan(borders[call], borders[call + 1] - borders[call]);
      const std::vector<Score> scores = call_reward(*part.reward, members);
      for (std::size_t i = 0; i < members.size(); ++i) add_part(members[i], part.name, part.weight, scores[i]);
    }
  }
  for (Episode& episode : episodes) {
    if (episode.score.status == ScoreStatus::abstain) {
      episode.score.status = ScoreStatus::error;
      episode.score.note = "every reward abstained; " + episode.score.note;
    }
    check_sum(episode.score);
  }
}

std::vector<std::string> RewardSum::names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) names.push_back(part.name);
  return names;
}

std::int64_t count_errors(std::span<const Episode> episodes) {
  return std::count_if(episodes.begin(), episodes.end(),
                       [](const Episode& episode) { return episode.score.status == ScoreStatus::error; });
}

void check_error_share(std::span<const Episode> episodes, double largest_share) {
  const std::int64_t errors = count_errors(episodes);
  if (static_cast<double>(errors) <= largest_share * static_cast<double>(episodes.size())) return;
  const auto first = std::find_if(episodes.begin(), episodes.end(), [](const Episode& episode) {
    return episode.score.status == ScoreStatus::error;
  });
  fail(ErrorKind::service, "the reward failed for {} of {} episodes, more than the allowed share of {}; first: {}", errors,
       episodes.size(), largest_share, first->score.note);
}

}  // namespace hone
