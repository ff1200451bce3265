#include "rollout/in_flight.h"

#include <algorithm>

#include "engine/tiny_model.h"
#include "envs/skeleton.h"
#include "rollout/pack.h"
#include "rollout/saved_episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A random model plays the guessing game, some tokens at a time.
struct Flight {
  explicit Flight(std::int64_t turns, std::int64_t budget) {
    SkeletonEnvSpec spec;
    spec.turns = turns;
    environment = spec.make({.seed = 3});
    plan = {.samples = 2, .key = 11, .visit = 5, .max_turns = 3, .token_budget = budget};
  }

  std::vector<Episode> start(std::vector<std::uint64_t> prompts) {
    return start_episodes(*tiny.tokenizer, *environment, prompts, plan);
  }
  void advance(InFlight& flight) { flight.advance(engine, *tiny.tokenizer, *environment, sampling, plan); }
  std::vector<Episode> at_once(std::vector<std::uint64_t> prompts) {
    CollectPlan whole = plan;
    whole.token_budget = 0;
    return collect(engine, *tiny.tokenizer, *environment, prompts, sampling, whole);
  }

  TinyModel tiny;
  Engine engine{*tiny.model, *tiny.tokenizer, {}};
  std::unique_ptr<Environment> environment;
  SamplingConfig sampling{.max_tokens = 9};
  CollectPlan plan;
};

bool same_episode(const Episode& a, const Episode& b) {
  return a.prompt.id == b.prompt.id && a.sample == b.sample && a.visit == b.visit && a.token_stream() == b.token_stream() &&
         std::equal(a.turns.begin(), a.turns.end(), b.turns.begin(), b.turns.end(), [](const Turn& x, const Turn& y) {
           return same(x.completion, y.completion) && x.reply == y.reply && x.reply_ids == y.reply_ids;
         });
}

}  // namespace

TEST_CASE("rollout: episodes drawn over several rounds are those drawn at once while the weights stay") {
  for (const std::int64_t turns : {1, 3}) {
    for (const std::int64_t budget : {1, 4, 8}) {
      Flight flight(turns, budget);
      InFlight groups(2);
      groups.add(flight.start({0, 1, 2}));
      std::int64_t rounds = 0;
      for (; groups.ended() < groups.groups(); ++rounds) flight.advance(groups);
      CHECK(rounds > 1);
      CHECK(rounds <= turns * ((9 + budget - 1) / budget));
      const std::vector<Episode> parts = groups.take(3), whole = flight.at_once({0, 1, 2});
      CHECK(groups.groups() == 0);
      CHECK(std::equal(parts.begin(), parts.end(), whole.begin(), whole.end(), same_episode));
    }
  }
}

TEST_CASE("rollout: the oldest groups that have ended are taken, numbered anew; others stay in order") {
  Flight flight(1, 4);
  InFlight groups(2);
  groups.add(flight.start({4, 2}));
  flight.advance(groups);
  CHECK(groups.ended() == 0);
  flight.advance(groups);
  groups.add(flight.start({6}));
  flight.advance(groups);
  REQUIRE(groups.ended() == 2);
  const std::vector<Episode> taken = groups.take(1);
  REQUIRE(taken.size() == 2);
  CHECK((taken[0].prompt.id >> 1) == 4);
  CHECK(taken[1].group == 0);
  CHECK(groups.groups() == 2);
  CHECK((groups.episodes()[0].prompt.id >> 1) == 2);
  CHECK(is_open(groups.episodes()[2]));
}

TEST_CASE("rollout: what goes on with other weights has the versions and log-probabilities of each") {
  Flight flight(1, 4);
  InFlight groups(2);
  groups.add(flight.start({0, 1}));
  flight.advance(groups);
  at::Tensor& weights = flight.tiny.model->store.weights();
  weights.add_(at::sin(at::arange(weights.numel(), at::kFloat)), 0.01);
  flight.tiny.model->store.refresh();
  flight.tiny.model->store.set_version(7);
  while (groups.ended() < 2) flight.advance(groups);
  for (const Episode& episode : groups.take(2)) {
    const Completion& written = episode.turns.at(0).completion;
    REQUIRE(written.version.size() == written.ids.size());
    REQUIRE(written.logprob.size() == written.ids.size());
    for (std::size_t t = 0; t < written.ids.size(); ++t) CHECK(written.version[t] == (t < 4 ? 0 : 7));
  }
}

TEST_CASE("rollout: episodes in flight are saved and go on bit for bit") {
  Flight flight(3, 2);
  InFlight groups(2), restored(2);
  groups.add(flight.start({0, 1}));
  for (int round = 0; round < 3; ++round) flight.advance(groups);
  restored.add(restore_episodes(Json::parse(save_episodes(groups.episodes()).dump(), "saved"), *flight.environment));
  while (groups.ended() < 2) {
    flight.advance(groups);
    flight.advance(restored);
  }
  const std::vector<Episode> one = groups.take(2), other = restored.take(2);
  CHECK(std::equal(one.begin(), one.end(), other.begin(), other.end(), same_episode));
}
