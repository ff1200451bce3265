#include "rewards/environment.h"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <vector>

#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

/// An episode of turns of three tokens with these rewards.
Episode played(const std::vector<std::optional<double>>& rewards) {
  Episode episode = test::episode("abc");
  episode.turns.resize(rewards.size(), episode.turns[0]);
  for (std::size_t i = 0; i < rewards.size(); ++i) episode.turns[i].reward = rewards[i];
  return episode;
}

Score judge(const EnvironmentRewardSpec& spec, const Episode& episode) {
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: environment keeps the contract of rewards") {
  EnvironmentRewardSpec spec;
  test::check_reward(spec, {}, {played({0.5, 1.0}), played({-1.0})});
  spec.credit = EnvironmentRewardSpec::Credit::turn;
  test::check_reward(spec, {}, {played({0.5, 1.0}), played({-1.0})});
}

TEST_CASE("rewards: environment adds up what the turns earned") {
  const Score score = judge({}, played({0.5, std::nullopt, -0.25, 1.0}));
  CHECK(score.value == 1.25);
  CHECK(score.spans.empty());
  CHECK(judge({}, played({std::nullopt, std::nullopt})).status == ScoreStatus::abstain);
}

TEST_CASE("rewards: environment gives each turn its own reward when told") {
  EnvironmentRewardSpec spec;
  spec.credit = EnvironmentRewardSpec::Credit::turn;
  Episode episode = played({0.5, std::nullopt, 0.0, -0.25, 1.0});
  const Score score = judge(spec, episode);
  CHECK(score.value == 1.0);
  CHECK(score.parts == std::vector<std::pair<std::string, double>>{{"total", 1.25}});
  REQUIRE(score.spans.size() == 2);
  CHECK(score.spans[0].turn == 0);
  CHECK(score.spans[0].end_token == 3);
  CHECK(score.spans[0].value == 0.5);
  CHECK(score.spans[1].turn == 3);
  CHECK(score.spans[1].value == -0.25);
  episode.turns[0].completion.ids.clear();  // no token to put it on
  CHECK(judge(spec, episode).value == 1.5);
  CHECK(judge(spec, played({2.0})).spans.empty());
}

TEST_CASE("rewards: a turn's reward that is no number is an error that says where") {
  const Score score = judge({}, played({0.5, std::numeric_limits<double>::quiet_NaN()}));
  CHECK(score.status == ScoreStatus::error);
  CHECK(score.reason == "not_finite");
  CHECK(score.note.find("turn 1") != std::string::npos);
}

}  // namespace hone
