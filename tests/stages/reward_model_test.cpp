#include "stages/reward_model.h"

#include "stages/labelled_rows.h"
#include "stages/quick_reward_model.h"
#include "stages/text_scorers.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr const char* names[] = {"bad", "good"};

/// Answers in "xyz" are better than answers in "abc".
std::string pairs(std::uint64_t count) {
  std::string lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    lines += R"({"prompt":")" + text_of_class(i, 2) + R"(?","chosen":")" + text_of_class(i, 1) + R"(","rejected":")" +
             text_of_class(i + 1, 0) + "\"}\n";
  }
  return lines;
}

/// What the trained model gives to texts of the two classes, asked as rewards ask it.
std::pair<double, double> scores(TinyRun& tiny) {
  tiny.run.save_checkpoint(tiny.run.checkpoint_directory("reward") / "final", {.stage = "reward", .finished = true});
  auto frozen = std::make_unique<Model>(*tiny.run.policy, HeadPlan{.scores = 1}, tiny.run.compute, false);
  frozen->copy_weights(*tiny.run.model);
  const auto scorer = head_scorer(std::move(frozen), *tiny.run.tokenizer);
  const TextScorer::Item items[] = {{"kk?", "abcab"}, {"kk?", "xyzxy"}};
  const std::vector<double> values = scorer->score(items);
  return {values.at(0), values.at(1)};
}

}  // namespace

TEST_CASE("stages: a reward model learns from pairs") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs(160), 0.25);
  const StageSummary summary = quick_reward_model().run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(summary.held_out[0].metric == "accuracy (pairs)");
  CHECK(*summary.held_out[0].after >= 0.95);
  CHECK(tiny.series("eval/margin").back() > 1);
  CHECK(tiny.series("eval/loss").back() < tiny.series("eval/loss").front());
  const auto [bad, good] = scores(tiny);
  CHECK(good > bad);
}

TEST_CASE("stages: pairs are never torn apart by the bound of a pass") {
  check_first_step_is_the_same_in_parts(pairs(64), [] { return quick_reward_model(); });
}

TEST_CASE("stages: a reward model learns from labels, and `positive` says which class is rewarded") {
  for (const bool reversed : {false, true}) {
    CAPTURE(reversed);
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", labelled_rows(160, 2, names), 0.25);
    RewardModelSpec spec = quick_reward_model();
    if (reversed) spec.positive = "bad";
    const StageSummary summary = spec.run(tiny.run);
    REQUIRE(summary.held_out.size() == 1);
    CHECK(*summary.held_out[0].after >= 0.95);
    CHECK(tiny.run.model->score->outputs() == 1);
    const auto [first, second] = scores(tiny);
    CHECK((reversed ? first > second : second > first));
  }
}

TEST_CASE("stages: a reward model's bad input") {
  TinyRun tiny;
  constexpr const char* three[] = {"a", "b", "c"};
  tiny.add_data("rows", "rows.jsonl", labelled_rows(30, 3, three));
  HONE_CHECK_ERROR(data, quick_reward_model().run(tiny.run), "data.rows", "two classes", "3");

  TinyRun unknown;
  unknown.add_data("rows", "rows.jsonl", labelled_rows(30, 2, names));
  RewardModelSpec spec = quick_reward_model();
  spec.positive = "excellent";
  HONE_CHECK_ERROR(data, spec.run(unknown.run), "excellent", "good");

  TinyRun paired;
  paired.add_data("rows", "rows.jsonl", pairs(4));
  HONE_CHECK_ERROR(config, spec.run(paired.run), "positive", "pairs");

  TinyRun empty;
  empty.add_data("rows", "rows.jsonl",
                 R"({"prompt":"a","chosen":"b","rejected":""})"
                 "\n");
  HONE_CHECK_ERROR(data, quick_reward_model().run(empty.run), "rows.jsonl:1", "rejected");
}
