#include "rollout/scoring.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "rollout/function_reward.h"
#include "support/episodes.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

using Parts = std::vector<std::pair<std::string, double>>;

Score value_of(double value) { return {.value = value}; }

std::unique_ptr<RewardSpec> constant(const std::string& name, double value, double weight = 1) {
  return reward_of(name, [value](const Episode&) { return value_of(value); }, weight);
}

/// Two groups of two: "a", "bb" and "ccc", "dddd".
std::vector<Episode> two_groups() {
  return {in_group(0, episode("a")), in_group(0, episode("bb")), in_group(1, episode("ccc")),
          in_group(1, episode("dddd"))};
}

template <class... Specs>
std::vector<Episode> scored(Specs... specs) {
  const auto list = rewards_of(std::move(specs)...);
  std::vector<Episode> episodes = two_groups();
  RewardSum(list, {}).score(episodes);
  return episodes;
}

}  // namespace

TEST_CASE("rollout: the score is the weighted sum, the parts are each reward's own value") {
  const auto length = [](const Episode& episode) {
    return value_of(static_cast<double>(episode.completion_text().size()));
  };
  const std::vector<Episode> episodes = scored(reward_of("length", length, 0.5), constant("other", 3, -2));
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    const double letters = static_cast<double>(i + 1);
    CHECK(episodes[i].score.status == ScoreStatus::ok);
    CHECK(episodes[i].score.value == 0.5 * letters - 6);
    CHECK(episodes[i].score.parts == Parts{{"length", letters}, {"other", 3}});
  }
  CHECK(count_errors(episodes) == 0);
}

TEST_CASE("rollout: the parts of a reward are kept under its name, and count nothing") {
  const auto judge = [](const Episode&) { return Score{.value = 2, .parts = {{"style", 5}}}; };
  const std::vector<Episode> episodes = scored(reward_of("judge", judge), constant("one", 1));
  CHECK(episodes[0].score.value == 3);
  CHECK(episodes[0].score.parts == Parts{{"judge", 2}, {"judge/style", 5}, {"one", 1}});
}

TEST_CASE("rollout: spans are weighted like the value") {
  const auto steps = [](const Episode&) { return Score{.value = 1, .spans = {{0, 1, 4.0}}}; };
  const std::vector<Episode> episodes = scored(reward_of("steps", steps, 0.25), constant("one", 1));
  REQUIRE(episodes[0].score.spans.size() == 1);
  CHECK(episodes[0].score.spans[0].value == 1.0);
  CHECK(episodes[0].score.value == 1.25);
}

TEST_CASE("rollout: a span outside its episode, or without a finite value, is an error of that episode") {
  const std::vector<ScoreSpan> flawed = {{1, 1, 1.0}, {-1, 1, 1.0}, {0, 0, 1.0}, {0, 1000, 1.0}, {0, 1, 1e300}};
  for (const ScoreSpan& span : flawed) {
    const auto steps = [&span](const Episode&) { return Score{.value = 1, .spans = {span}}; };
    for (const Episode& episode : scored(reward_of("steps", steps))) {
      CHECK(episode.score.status == ScoreStatus::error);
      CHECK(episode.score.note.starts_with("steps: "));
    }
  }
}

TEST_CASE("rollout: scoring again starts anew") {
  const auto list = rewards_of(constant("one", 1));
  std::vector<Episode> episodes = two_groups();
  RewardSum rewards(list, {});
  rewards.score(episodes);
  rewards.score(episodes);
  CHECK(episodes[0].score.value == 1);
  CHECK(episodes[0].score.parts == Parts{{"one", 1}});
}

TEST_CASE("rollout: a reward that abstains is left out, and the others keep their weights") {
  const auto for_short = [](const Episode& episode) {
    return episode.completion_text().size() < 2 ? Score::abstain("too short") : value_of(10);
  };
  const std::vector<Episode> episodes = scored(reward_of("long", for_short, 0.75), constant("one", 4, 0.25));
  CHECK(episodes[0].score.status == ScoreStatus::ok);
  CHECK(episodes[0].score.value == 1);
  CHECK(episodes[0].score.parts == Parts{{"one", 4}});
  CHECK(episodes[0].score.note == "long: too short");
  CHECK(episodes[1].score.value == 8.5);
  CHECK(episodes[1].score.note.empty());
}

TEST_CASE("rollout: an episode on which every reward abstains has no score") {
  const auto abstains = [](const Episode&) { return Score::abstain("no idea"); };
  const std::vector<Episode> episodes = scored(reward_of("first", abstains), reward_of("second", abstains));
  CHECK(count_errors(episodes) == 4);
  CHECK(episodes[2].score.note == "every reward abstained; first: no idea; second: no idea");
}

TEST_CASE("rollout: an exception costs the episodes of that call alone, and says why") {
  const auto fails_on_c = [](std::span<const Episode> episodes) {
    if (episodes[0].completion_text() == "ccc") throw std::runtime_error("the judge is asleep");
    return std::vector<Score>(episodes.size(), value_of(2));
  };
  const std::vector<Episode> episodes =
      scored(reward_of_all("judge", fails_on_c, 1, RewardScope::group), constant("one", 1));
  CHECK(episodes[0].score.value == 3);
  CHECK(episodes[1].score.status == ScoreStatus::ok);
  for (const std::size_t i : {2, 3}) {
    CHECK(episodes[i].score.status == ScoreStatus::error);
    CHECK(episodes[i].score.note == "judge: the judge is asleep");
    CHECK(episodes[i].score.parts == Parts{{"one", 1}});
  }
}

TEST_CASE("rollout: values that are not finite are errors, not scores") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    const auto spoilt = [bad](const Episode& episode) {
      return value_of(episode.completion_text() == "bb" ? bad : 1);
    };
    const std::vector<Episode> episodes = scored(reward_of("spoilt", spoilt), constant("one", 1));
    CHECK(count_errors(episodes) == 1);
    CHECK(episodes[1].score.status == ScoreStatus::error);
    CHECK(episodes[1].score.note.find("spoilt: the value is") == 0);
    CHECK(episodes[0].score.value == 2);
  }
}

TEST_CASE("rollout: a sum that is not finite is an error, though every part is a number") {
  const std::vector<Episode> heavy = scored(constant("heavy", 1e30, 1e30));
  CHECK(count_errors(heavy) == 4);
  CHECK(heavy[0].score.note == "the weighted sum does not fit float32");
  CHECK(count_errors(scored(constant("one", 3e38), constant("other", 3e38))) == 4);
  const auto steps = [](const Episode&) { return Score{.value = 1, .spans = {{0, 1, 1e30}}}; };
  CHECK(count_errors(scored(reward_of("steps", steps, 1e30))) == 4);
  CHECK(count_errors(scored(constant("one", 3e38), constant("other", -3e38))) == 0);
}

TEST_CASE("rollout: an error of one reward outweighs what the others say, in any order") {
  const auto fails = [](const Episode&) { return Score::error("broken"); };
  const auto abstains = [](const Episode&) { return Score::abstain(""); };
  CHECK(count_errors(scored(reward_of("bad", fails), constant("one", 1), reward_of("none", abstains))) == 4);
  CHECK(count_errors(scored(constant("one", 1), reward_of("none", abstains), reward_of("bad", fails))) == 4);
}

TEST_CASE("rollout: a wrong number of scores is an error of every episode of the call") {
  const auto one_too_few = [](std::span<const Episode> episodes) {
    return std::vector<Score>(episodes.size() - 1, value_of(1));
  };
  const std::vector<Episode> episodes = scored(reward_of_all("short", one_too_few));
  CHECK(count_errors(episodes) == 4);
  CHECK(episodes[0].score.note == "short: returned 3 scores for 4 episodes");
}

TEST_CASE("rollout: what a reward sees in one call is what its scope asks for") {
  const auto calls_of = [](RewardScope scope) {
    std::vector<std::string> calls;
    const auto record = [&calls](std::span<const Episode> episodes) {
      std::string texts;
      for (const Episode& episode : episodes) texts += episode.completion_text() + " ";
      calls.push_back(texts);
      return std::vector<Score>(episodes.size(), value_of(0));
    };
    scored(reward_of_all("record", record, 1, scope));
    return calls;
  };
  CHECK(calls_of(RewardScope::group) == std::vector<std::string>{"a bb ", "ccc dddd "});
  CHECK(calls_of(RewardScope::batch) == std::vector<std::string>{"a bb ccc dddd "});
}

TEST_CASE("rollout: a run without rewards is a mistake in the file") {
  HONE_CHECK_ERROR(config, RewardSum({}, {}), "rewards", "at least one");
}
