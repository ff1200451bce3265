#include "policies/checkpoint.h"
#include "rewards/model_score.h"
#include "stages/labelled_rows.h"
#include "stages/model_directory.h"
#include "stages/quick_reward_model.h"
#include "stages/tiny_run.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

RewardModelSpec quick_spec() { return quick_reward_model("reward", 60); }

/// Texts in "xyz" are worth 1 in `bright` and 0 in `low`, texts in "abc" the reverse; every third row knows one of them.
std::string scored(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t bright = i % 2;
    const std::string known = R"("bright":)" + std::to_string(bright), other = R"("low":)" + std::to_string(1 - bright);
    lines += R"({"prompt":")" + text_of_class(i, 2) + R"(?","completion":")" + text_of_class(i + 5, bright) +
             R"(","scores":{)" + (i % 3 == 0 ? known : known + "," + other) + "}}\n";
  }
  return lines;
}

/// The answer in "xyz" is the better one in `bright`, the other one in `low`.
std::string pairs(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    lines += R"({"prompt":")" + text_of_class(i, 2) + R"(?","chosen":")" + text_of_class(i, 1) + R"(","rejected":")" +
             text_of_class(i + 1, 0) + R"(","preferences":{"bright":2)" + (i % 3 == 0 ? "" : R"(,"low":-1)") + "}}\n";
  }
  return lines;
}

Episode answer(const std::string& text) {
  Episode answered = episode(text);
  answered.prompt.text = "kk?";
  return answered;
}

/// What model_score says of an answer in "xyz" and of one in "abc" once the run's model has been saved.
std::vector<Score> judged(TinyRun& tiny, std::vector<std::pair<std::string, double>> weights) {
  tiny.run.catalogs = &policy_table();
  tiny.run.save_checkpoint(tiny.run.checkpoint_directory("reward") / "final", {.stage = "reward", .finished = true});
  ModelScoreSpec spec;
  spec.model = "reward";
  spec.weights = std::move(weights);
  const Episode episodes[] = {answer("xyzxy"), answer("abcab")};
  return spec.make(tiny.run.services())->score(episodes);
}

}  // namespace

TEST_CASE("stages: a reward model learns several scores a text, and each is a part of the reward") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", scored(160), 0.25);
  const StageSummary summary = quick_spec().run(tiny.run);
  REQUIRE(summary.held_out.size() == 2);
  CHECK(summary.held_out[0].metric == "Pearson (mean)");
  CHECK(*summary.held_out[0].after >= 0.9);
  CHECK(tiny.series("eval/mse/bright").back() < 0.1);
  CHECK(tiny.series("eval/mse/low").back() < 0.1);

  const std::vector<Score> scores = judged(tiny, {{"bright", 0.75}, {"low", -0.25}});
  REQUIRE(scores[0].parts.size() == 3);
  CHECK(scores[0].parts[0].first == "bright");
  CHECK(scores[0].parts[1].first == "low");
  CHECK(scores[0].parts[0].second > 0.7);
  CHECK(scores[1].parts[0].second < 0.3);
  CHECK(scores[0].parts[1].second < 0.3);
  CHECK(scores[0].value == doctest::Approx(0.75 * scores[0].parts[0].second - 0.25 * scores[0].parts[1].second));
  const std::vector<Score> mean = judged(tiny, {});
  CHECK(mean[0].value == doctest::Approx(0.5 * (mean[0].parts[0].second + mean[0].parts[1].second)));
  HONE_CHECK_ERROR(config, judged(tiny, {{"dark", 1}}), "weights.dark", "bright, low");

  const HeadPlan plan = read_head_plan(tiny.run.checkpoint_directory("reward") / "final");
  CHECK(plan == tiny.run.model->plan);
  CHECK(plan.labels == std::vector<std::string>{"bright", "low"});
}

TEST_CASE("stages: a reward model learns from pairs which answer is better in which respect") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs(160), 0.25);
  RewardModelSpec spec = quick_spec();
  spec.weights = {{"low", 0.5}};
  spec.centering = 0.01;
  spec.run(tiny.run);
  CHECK(tiny.series("eval/accuracy/bright").back() >= 0.95);
  CHECK(tiny.series("eval/accuracy/low").back() >= 0.95);
  const std::vector<Score> scores = judged(tiny, {});
  CHECK(scores[0].parts[0].second > scores[1].parts[0].second);
  CHECK(scores[0].parts[1].second < scores[1].parts[1].second);
}

TEST_CASE("stages: the gradient of several scores does not depend on the bound of a pass") {
  for (const bool paired : {false, true}) {
    check_first_step_is_the_same_in_parts(paired ? pairs(64) : scored(64), [] {
      RewardModelSpec spec = quick_spec();
      spec.weights = {{"low", 3}};
      return spec;
    });
  }
}

TEST_CASE("stages: bad input of a reward model with several scores") {
  const auto run = [](const std::string& lines, RewardModelSpec spec = quick_spec()) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", lines);
    spec.run(tiny.run);
  };
  RewardModelSpec unknown = quick_spec();
  unknown.weights = {{"dark", 1}};
  HONE_CHECK_ERROR(data, run(scored(4), unknown), "weights.dark", "bright, low");
  RewardModelSpec negative = quick_spec();
  negative.weights = {{"low", -1}};
  HONE_CHECK_ERROR(config, run(scored(4), negative), "negative");
  RewardModelSpec labelled = quick_spec();
  labelled.positive = "good";
  HONE_CHECK_ERROR(config, run(scored(4), labelled), "positive", "scores");
  HONE_CHECK_ERROR(data, run(R"({"text":"a","scores":{"x":1}})" "\n" R"({"text":"b","scores":{"x":null}})"), "rows.jsonl:2",
                   "no score");
  HONE_CHECK_ERROR(data, run(R"({"prompt":"a","chosen":"b","rejected":"c","preferences":{"x":1}})" "\n"
                             R"({"prompt":"a","chosen":"b","rejected":"c","preferences":{"x":0}})"),
                   "rows.jsonl:2", "all 0");
  HONE_CHECK_ERROR(data, run(R"({"prompt":"a","chosen":"b","rejected":"c","preferences":{"x":1},"margin":1})"), "margin");
}
