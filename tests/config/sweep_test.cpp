#include "config/sweep.h"

#include <set>

#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

namespace {

const char* const head = "run: base.yaml\nmetric: {stage: sft, name: eval/loss, goal: min}\n";

SweepConfig sweep(const std::string& rest) {
  const test::Scratch scratch;
  return load_sweep(scratch.file("lr.yaml", head + rest));
}

}  // namespace

TEST_CASE("config: a grid tries every combination, the last parameter changes fastest") {
  const SweepConfig config = sweep("parameters:\n  stages.sft.steps: [10, 20]\n  model.architecture: [{kind: llama}, {kind: gpt2}]\n");
  CHECK(config.name == "lr");
  CHECK(config.directory == "sweeps/lr");
  CHECK(config.run.filename() == "base.yaml");
  CHECK_FALSE(config.maximize);
  const std::vector<SweepPoint> points = sweep_points(config);
  REQUIRE(points.size() == 4);
  CHECK(points[1] == SweepPoint{{"stages.sft.steps", "10"}, {"model.architecture", "{kind: gpt2}"}});
  CHECK(points[2][0].second == "20");
}

TEST_CASE("config: draws lie in their ranges, spread over the logarithm, and more trials keep the first ones") {
  const std::string parameters =
      "method: random\nparameters:\n  a: {low: 1.0e-5, high: 1.0e-3, scale: log}\n  b: {low: 2, high: 5, integer: true}\n"
      "  c: [x, y]\ntrials: ";
  const std::vector<SweepPoint> points = sweep_points(sweep(parameters + "400\n"));
  const std::vector<SweepPoint> few = sweep_points(sweep(parameters + "3\n"));
  REQUIRE(points.size() == 400);
  CHECK(std::equal(few.begin(), few.end(), points.begin()));
  CHECK(sweep_points(sweep("seed: 2\n" + parameters + "3\n")) != few);
  int small = 0;
  std::set<std::string> integers;
  for (const SweepPoint& point : points) {
    const double a = std::stod(point[0].second);
    CHECK(a >= 1e-5);
    CHECK(a <= 1e-3);
    small += a < 1e-4;
    integers.insert(point[1].second);
  }
  CHECK(small > 150);
  CHECK(small < 250);
  CHECK(integers == std::set<std::string>{"2", "3", "4", "5"});
}

TEST_CASE("config: halving raises its resource to the whole and keeps the best") {
  const SweepConfig config = sweep("method: halving\ntrials: 9\nparameters: {a: [1, 2]}\n"
                                   "resource: {key: stages.sft.steps, low: 10, high: 100, factor: 3}\n");
  CHECK(sweep_rungs(config) == std::vector<std::int64_t>{10, 30, 90, 100});
  CHECK(best_trials({0.5, std::nullopt, 0.25, std::nan(""), 0.25}, 2, false) == std::vector<std::size_t>{2, 4});
  CHECK(best_trials({0.5, std::nullopt, 0.25}, 9, true) == std::vector<std::size_t>{0, 2});
}

TEST_CASE("config: everything that is wrong with a sweep is told at once") {
  const test::Scratch scratch;
  const auto file = scratch.file("bad.yaml",
                                 "metric: {stage: sft, goal: most}\nmethod: grid\ntrials: 3\nsed: 1\n"
                                 "parameters: {a: {low: 2, high: 1}, b: 3}\nresource: {key: x}\n");
  HONE_CHECK_ERROR(config, load_sweep(file), "run: is missing", "metric.name: is missing", "metric.goal", "max, min", "trials",
                   "sed: unknown key", "parameters.a: a grid needs a list", "parameters.b: expected a list of values",
                   "resource: goes with the method halving");
  HONE_CHECK_ERROR(config, sweep("method: random\nparameters: {a: {low: 0, high: 1, scale: log}}\n"), "trials: is missing",
                   "low > 0");
  HONE_CHECK_ERROR(config, sweep(""), "parameters: expected a map");
}

}  // namespace hone
