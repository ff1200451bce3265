#include "rewards/random_walks.h"

#include <doctest/doctest.h>

#include <string>

#include "envs/random_walks.h"
#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

/// b → a, c → b and d, d → c and a: from c the shortest path c b a (or c d a) has 3 nodes; walks have at most 6.
Episode walk(const std::string& completion) {
  RandomWalksSpec spec;
  spec.nodes = 4;
  spec.max_nodes = 6;
  spec.edges = {"ba", "cb", "cd", "dc", "da"};
  Episode episode = test::episode(completion);
  episode.prompt = spec.make({})->prompt(Split::held_out, 1);
  REQUIRE(episode.prompt.text == "c");
  return episode;
}

double optimality(const std::string& completion) {
  const Episode episode = walk(completion);
  return RandomWalksRewardSpec().make({})->score(std::span(&episode, 1))[0].value;
}

}  // namespace

TEST_CASE("rewards: random_walks keeps the contract of rewards") {
  RandomWalksRewardSpec spec;
  test::check_reward(spec, {}, {walk("ba"), walk("bc")});
  test::check_missing_reference(spec, {}, walk("ba"));
}

TEST_CASE("rewards: optimality is 1 on a shortest path, less on longer ones, 0 on none") {
  CHECK(optimality("ba") == 1.0);
  CHECK(optimality("da") == 1.0);
  CHECK(optimality("dcba") == doctest::Approx(1.0 / 3));  // 5 nodes: (6 − 5) / (6 − 3)
  CHECK(optimality("dcdca") == 0.0);                      // there is no edge from c to a
  CHECK(optimality("dcdba") == 0.0);
  CHECK(optimality("dcdcba") == 0.0);  // 7 nodes
  CHECK(optimality("") == 0.0);
  CHECK(optimality("b") == 0.0);
  CHECK(optimality("a") == 0.0);
  CHECK(optimality("b a") == 0.0);
  CHECK(optimality("z") == 0.0);
  CHECK(optimality("\xC3\xBC") == 0.0);
  CHECK(optimality("baxyz") == 1.0);  // what follows the goal does not count
}

TEST_CASE("rewards: the shortest path of every start of the usual graphs earns 1") {
  for (const std::int64_t seed : {1002, 1005}) {
    RandomWalksSpec spec;
    spec.graph_seed = seed;
    const auto environment = spec.make({});
    const auto reward = RandomWalksRewardSpec().make({});
    for (std::uint64_t start = 0; start < 20; ++start) {
      const Prompt prompt = environment->prompt(Split::held_out, start);
      // Breadth first over whole walks, on the reference alone.
      std::vector<std::string> walks{prompt.text};
      std::string found;
      while (found.empty()) {
        std::vector<std::string> longer;
        for (const std::string& so_far : walks) {
          for (const char next : prompt.reference.at("next").at(so_far.substr(so_far.size() - 1)).as_string()) {
            longer.push_back(so_far + next);
            if (next == 'a' && found.empty()) found = longer.back();
          }
        }
        walks = std::move(longer);
      }
      Episode episode = test::episode(found.substr(1));
      episode.prompt = prompt;
      CHECK(static_cast<std::int64_t>(found.size()) == prompt.reference.at("shortest").as_integer());
      CHECK(reward->score(std::span(&episode, 1))[0].value == 1.0);
    }
  }
}

TEST_CASE("rewards: a reference that cannot be is an error") {
  Episode episode = walk("ba");
  episode.prompt.reference.set("shortest", 6);
  const Score score = RandomWalksRewardSpec().make({})->score(std::span(&episode, 1))[0];
  CHECK(score.status == ScoreStatus::error);
  CHECK(score.note.find("expected 1 to 5") != std::string::npos);
}

}  // namespace hone
