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

/// Adds one reward's verdict to the episode's sum.
void add_part(Score& sum, const std::string& name, double weight, const Score& part) {
  ScoreStatus status = part.status;
  std::string note = part.note;
  if (status == ScoreStatus::ok && !std::isfinite(part.value)) {
    status = ScoreStatus::error;
    note = fmt::format("the value is {}", part.value);
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
      for (std::size_t i = 0; i < members.size(); ++i) add_part(members[i].score, part.name, part.weight, scores[i]);
    }
  }
  for (Episode& episode : episodes) {
    if (episode.score.status == ScoreStatus::abstain) {
      episode.score.status = ScoreStatus::error;
      episode.score.note = "every reward abstained; " + episode.score.note;
    }
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
