#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "flow/reward.h"
#include "tests/support/declared_fields.h"
#include "tests/support/episodes.h"

/// What every reward must do: one score an episode, the same each time, and what cannot be judged is no zero.
namespace hone::test {

namespace detail {

inline bool same_score(const Score& a, const Score& b) {
  return a.value == b.value && a.parts == b.parts && a.status == b.status && a.note == b.note;
}

inline std::vector<std::size_t> shuffled_order(std::size_t count, std::uint64_t key) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  Random(key).shuffle(order);
  return order;
}

/// Shuffles the order of the groups and the members within each, keeping each group together.
inline std::vector<std::size_t> shuffled_groups(const std::vector<Episode>& episodes, std::uint64_t key) {
  std::vector<std::size_t> order = shuffled_order(episodes.size(), key);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return episodes[a].group > episodes[b].group; });
  return order;
}

inline std::vector<Episode> reordered(const std::vector<Episode>& episodes, const std::vector<std::size_t>& order) {
  std::vector<Episode> result;
  for (const std::size_t i : order) result.push_back(episodes[i]);
  return result;
}

inline void check_orders(Reward& reward, const std::vector<Episode>& episodes, const std::vector<Score>& scores) {
  std::int64_t differing = 0;
  for (std::uint64_t key = 0; key < 5; ++key) {
    const auto order =
        reward.scope() == RewardScope::sample ? shuffled_order(episodes.size(), key) : shuffled_groups(episodes, key);
    const std::vector<Score> moved = reward.score(reordered(episodes, order));
    REQUIRE(moved.size() == episodes.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      // A sum over a group in another order may round differently; everything else is equal to the bit.
      const bool near = reward.scope() != RewardScope::sample && moved[i].status == scores[order[i]].status &&
                        std::abs(moved[i].value - scores[order[i]].value) <= 1e-12;
      differing += !near && !same_score(moved[i], scores[order[i]]);
    }
  }
  if (reward.scope() == RewardScope::sample) {
    for (std::size_t i = 0; i < episodes.size(); ++i) {
      differing += !same_score(reward.score(std::span(&episodes[i], 1)).at(0), scores[i]);
    }
  }
  CHECK_MESSAGE(differing == 0, "scores must not depend on the order of the episodes");
}

}  // namespace detail

/// `episodes`: some that the reward is made for, in groups of at least two where its scope is group.
inline void check_reward(RewardSpec& spec, const Services& services, std::vector<Episode> episodes) {
  spec.name = spec.kind = "under_test";
  CHECK(DeclaredFields::problems(spec) == std::vector<std::string>{});
  const std::unique_ptr<Reward> reward = spec.make(services);
  CHECK(reward->score({}).empty());
  REQUIRE(episodes.size() >= 2);
  const Json reference = episodes[0].prompt.reference;
  const std::int64_t group = episodes.back().group;
  for (const std::string& text : {std::string(), std::string("\xE2\x88\x92\xC3\xBC \xF0\x9F\x99\x82"),
                                  std::string(3000, ' '), std::string(3000, '9'), std::string("1,1,1,1/0%\\boxed{")}) {
    episodes.push_back(in_group(group + 1, episode(text, reference)));
  }
  const std::vector<Score> scores = reward->score(episodes);
  REQUIRE(scores.size() == episodes.size());
  for (const Score& score : scores) {
    CHECK(std::isfinite(score.value));
    if (score.status != ScoreStatus::ok) {
      CHECK(score.value == 0.0);
      CHECK_MESSAGE(!score.note.empty(), "an error or an abstention says why");
    }
    for (const auto& [part, value] : score.parts) CHECK_MESSAGE(std::isfinite(value), part);
  }
  const std::vector<Score> again = reward->score(episodes);
  CHECK(std::ranges::equal(scores, again, detail::same_score));
  detail::check_orders(*reward, episodes, scores);
}

/// Rewards that need a reference: without it every episode is an error that says what is missing, whoever is beside it.
inline void check_missing_reference(RewardSpec& spec, const Services& services, const Episode& good) {
  Episode bad = good;
  bad.prompt.reference = Json();
  const std::vector<Episode> both{bad, good};
  const std::vector<Score> scores = spec.make(services)->score(both);
  REQUIRE(scores.size() == 2);
  CHECK(scores[0].status == ScoreStatus::error);
  CHECK(scores[0].note.find("reference") != std::string::npos);
  CHECK(scores[1].status == ScoreStatus::ok);
}

}  // namespace hone::test
