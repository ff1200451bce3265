#include "envs/random_walks.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "envs/walk_graph.h"
#include "rewards/random_walks.h"
#include "tests/conformance/environment_conformance.h"
#include "tests/support/error_of.h"
#include "tests/support/golden.h"

namespace hone {

namespace {

test::EnvironmentFacts walk_facts() { return {.splits_share_texts = true, .texts_repeat = true}; }

double demonstrated_optimality(const Environment& environment) {
  const auto reward = RandomWalksRewardSpec().make({});
  double sum = 0;
  for (std::uint64_t i = 0; i < environment.size(Split::train); ++i) {
    Episode walk = test::episode("");
    walk.prompt = environment.prompt(Split::train, i);
    walk.turns[0].completion.text = environment.demonstration(walk.prompt).value();
    sum += reward->score(std::span(&walk, 1))[0].value;
  }
  return sum / static_cast<double>(environment.size(Split::train));
}

}  // namespace

TEST_CASE("envs: random_walks keeps the contract of environments") {
  RandomWalksSpec spec;
  test::check_environment(spec, {.seed = 9}, walk_facts());
  RandomWalksSpec listed;
  listed.nodes = 3;
  listed.edges = {"ba", "cb", "bc"};
  test::check_environment(listed, {.seed = 9}, walk_facts());
}

TEST_CASE("envs: the usual graphs have the field's edges and shortest paths") {
  HONE_NEEDS_TEST_DATA(data);
  const Json file = test::golden_file(data, "random_walks.json");
  for (const Json& golden : file.at("graphs").as_array()) {
    const std::int64_t seed = golden.at("seed").as_integer();
    CAPTURE(seed);
    const WalkGraph graph = seeded_graph(static_cast<std::uint64_t>(seed), 21, 0.1);
    std::set<std::pair<std::int64_t, std::int64_t>> edges, expected;
    for (std::size_t from = 0; from < graph.nodes(); ++from) {
      for (const char to : graph.next[from]) edges.emplace(from, to - 'a');
    }
    for (const Json& edge : golden.at("edges").as_array()) {
      expected.emplace(edge.as_array()[0].as_integer(), edge.as_array()[1].as_integer());
    }
    expected.erase({0, 0});  // the goal's loop onto itself: here a walk ends at the goal
    CHECK(edges == expected);
    const auto shortest = shortest_paths(graph);
    const auto& golden_shortest = golden.at("shortest").as_array();
    REQUIRE(golden_shortest.size() == 20);
    for (std::size_t i = 0; i < golden_shortest.size(); ++i) {
      CHECK(shortest[i + 1] == golden_shortest[i].as_integer());
    }

    RandomWalksSpec spec;
    spec.graph_seed = seed;
    // Mean of 1,000 random walks there and of 1,000 others here: the standard error is about 0.014.
    CHECK(std::abs(demonstrated_optimality(*spec.make({.seed = 4})) - golden.at("dataset_optimality").as_number()) <
          0.06);
  }
}

TEST_CASE("envs: held-out walks start at every node but the goal, demonstrations follow the edges") {
  const auto environment = RandomWalksSpec().make({.seed = 2});
  REQUIRE(environment->size(Split::held_out) == 20);
  REQUIRE(environment->size(Split::train) == 1000);
  std::string starts;
  for (std::uint64_t i = 0; i < 20; ++i) starts += environment->prompt(Split::held_out, i).text;
  CHECK(starts == "bcdefghijklmnopqrstu");
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Prompt prompt = environment->prompt(Split::train, i);
    seen.insert(prompt.text);
    const std::string walk = prompt.text + environment->demonstration(prompt).value();
    CHECK(walk.size() >= 2);
    CHECK(walk.size() <= 10);
    CHECK((walk.back() == 'a' || walk.size() == 10));
    CHECK(walk.find('a') >= walk.size() - 1);
    for (std::size_t k = 0; k + 1 < walk.size(); ++k) {
      const std::string& next = prompt.reference.at("next").at(walk.substr(k, 1)).as_string();
      CHECK(next.find(walk[k + 1]) != std::string::npos);
    }
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("envs: a graph with starts that never reach the goal is refused by name") {
  RandomWalksSpec spec;
  spec.name = "walks";
  spec.nodes = 5;
  spec.edges = {"ba", "cb", "de", "ed"};
  HONE_CHECK_ERROR(config, spec.make({}), "environment walks", "these edges", "from d, e;", "1002 and 1005");
  spec.edges = {"ba", "cb", "dc", "ed"};
  CHECK_NOTHROW(spec.make({}));
  spec.max_nodes = 5;
  HONE_CHECK_ERROR(config, spec.make({}), "fewer than 5 nodes from e;");
  for (const std::string& edge : {std::string("b"), std::string("ba!"), std::string("bf"), std::string("Ba")}) {
    spec.edges = {"ba", edge};
    const std::string quoted = "\"" + edge + "\"";
    HONE_CHECK_ERROR(config, spec.make({}), std::string_view(quoted), std::string_view("two letters from a to e"));
  }
}

TEST_CASE("envs: other seeds draw other graphs, of the same density, and some are refused") {
  int refused = 0;
  double edges = 0;
  std::set<std::string> graphs;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const WalkGraph graph = seeded_graph(seed, 21, 0.1);
    std::string all;
    for (std::size_t node = 0; node < graph.nodes(); ++node) {
      CHECK(graph.next[node].empty() == (node == 0));
      CHECK(graph.next[node].find(WalkGraph::letter(node)) == std::string::npos);
      all += graph.next[node] + ".";
      edges += static_cast<double>(graph.next[node].size());
    }
    graphs.insert(all);
    RandomWalksSpec spec;
    spec.graph_seed = static_cast<std::int64_t>(seed);
    refused += test::error_of([&] { spec.make({}); }).has_value();
  }
  CHECK(graphs.size() == 100);
  CHECK(edges / 100 == doctest::Approx(20 * (2.0 + 0.1216)).epsilon(0.03));  // (1 − 0.1)^20 of the nodes get one
  CHECK(refused > 0);
  CHECK(refused < 60);
}

}  // namespace hone
