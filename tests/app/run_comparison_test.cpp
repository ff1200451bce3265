#include "app/run_comparison.h"

#include <fmt/format.h>

#include <doctest/doctest.h>

namespace hone {

namespace {

SampleRow sample(const std::string& prompt, double reward, const std::string& status = "ok") {
  SampleRow row;
  row.prompt = prompt;
  row.reward = reward;
  row.status = status;
  return row;
}

RunRecord run(double loss, double lift) {
  RunRecord record;
  StageRecord sft{.name = "sft", .series = {{"eval/loss", {{1, 9}, {2, loss}}}, {"grad_norm", {{2, 1}}}}};
  StageRecord ppo{.name = "ppo"};
  for (int i = 0; i < 40; ++i) {
    ppo.first_held_out.push_back(sample("p" + std::to_string(i), 0));
    ppo.last_held_out.push_back(sample("p" + std::to_string(i), i % 4 * 0.1 + lift));
  }
  record.stages = {sft, ppo};
  return record;
}

}  // namespace

TEST_CASE("app: two runs are compared by their last values, and by the rewards of the same prompts") {
  const RunRecord first = run(2.0, 0);
  RunRecord second = run(1.5, 0.25);
  second.stages[0].series.push_back({"new", {{1, 3}}});
  second.stages[1].last_held_out[0].status = "error";
  second.stages[1].last_held_out.push_back(sample("elsewhere", 100));
  second.stages.push_back({.name = "eval", .series = {{"eval/reward", {{0, 0.5}}}}});
  const RunComparison comparison = compare_runs(first, second);
  REQUIRE(comparison.metrics.size() == 4);
  CHECK(comparison.metrics[0].name == "eval/loss");
  CHECK(comparison.metrics[0].first == 2.0);
  CHECK(comparison.metrics[0].second == 1.5);
  CHECK_FALSE(comparison.metrics[2].first.has_value());
  CHECK(comparison.metrics[3].stage == "eval");
  REQUIRE(comparison.scores.size() == 1);
  CHECK(comparison.scores[0].prompts == 39);
  CHECK(comparison.scores[0].scores.difference == doctest::Approx(0.25));
  CHECK(comparison.scores[0].scores.interval.low == doctest::Approx(0.25));
  CHECK(comparison.scores[0].scores.bootstrap_p < 0.01);
  const std::string text = comparison_text(comparison, "a", "b");
  CHECK(text.find("-0.5") != std::string::npos);
  CHECK(text.find("paired bootstrap") != std::string::npos);
  const Json json = to_json(comparison);
  CHECK(json.at("metrics").as_array()[2].at("first").is_null());
  CHECK(json.at("scores").as_array()[0].at("prompts") == Json(39));
}

TEST_CASE("app: runs without common held-out prompts are compared by their metrics alone") {
  RunRecord other = run(1, 0);
  for (SampleRow& row : other.stages[1].last_held_out) row.prompt += " again";
  CHECK(compare_runs(run(1, 0), other).scores.empty());
  CHECK(compare_runs(run(1, 0), RunRecord{}).metrics.size() == 2);
}

}  // namespace hone
