#include "stages/past_groups.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/random.h"
#include "rollout/saved_episodes.h"

namespace hone {

std::vector<Episode> PastGroups::draw(std::int64_t iteration, std::int64_t first_group) const {
  std::vector<std::size_t> order(kept_.size());
  std::iota(order.begin(), order.end(), 0);
  Random(key_, static_cast<std::uint64_t>(iteration)).shuffle(order);
  order.resize(std::min(order.size(), static_cast<std::size_t>(config_.groups)));
  std::vector<Episode> episodes;
  for (const std::size_t i : order) {
    for (Episode episode : kept_[i].group) {
      episode.group = first_group;
      episodes.push_back(std::move(episode));
    }
    ++first_group;
  }
  return episodes;
}

void PastGroups::keep(std::int64_t iteration, std::span<const Episode> episodes) {
  if (config_.groups == 0) return;
  std::erase_if(kept_, [&](const Kept& kept) { return kept.iteration <= iteration - config_.iterations; });
  for (const Episode& episode : episodes) {
    if (kept_.empty() || kept_.back().iteration != iteration || kept_.back().group.back().group != episode.group) {
      kept_.push_back({.iteration = iteration, .group = {}});
    }
    kept_.back().group.push_back(episode);
  }
}

void PastGroups::exchange(TrainerState& state, const Environment& environment) {
  if (config_.groups == 0) return;
  Json::Array iterations, groups;
  for (const Kept& kept : kept_) {
    iterations.emplace_back(kept.iteration);
    groups.push_back(save_episodes(kept.group, SavedScores::with));
  }
  Json saved = Json::object();
  saved.set("iterations", Json(std::move(iterations)));
  saved.set("groups", Json(std::move(groups)));
  state.value("past_groups", saved);
  if (!state.restoring()) return;
  kept_.clear();
  for (std::size_t i = 0; i < saved.at("groups").as_array().size(); ++i) {
    kept_.push_back({.iteration = saved.at("iterations").as_array()[i].as_integer(),
                     .group = restore_episodes(saved.at("groups").as_array()[i], environment)});
  }
}

}  // namespace hone
