#include "policies/checkpoint.h"
#include "rewards/process_score.h"
#include "stages/grpo.h"
#include "stages/quick_reward_model.h"
#include "stages/step_scorer.h"
#include "stages/step_solutions.h"
#include "stages/tiny_rl.h"
#include "stages/tiny_run.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

RewardModelSpec quick_step_model() { return quick_reward_model("steps"); }

void save(TinyRun& tiny) {
  tiny.run.save_checkpoint(tiny.run.checkpoint_directory("steps") / "final", {.stage = "steps", .finished = true});
}

/// An episode whose completion is this text, a token a byte and the eos behind.
Episode answer(const TinyRun& tiny, const std::string& text) {
  Episode answered = episode(text);
  answered.prompt.text = "kk?";
  answered.turns[0].completion.ids = tiny.run.tokenizer->encode(text);
  answered.turns[0].completion.ids.push_back(*tiny.run.tokenizer->eos_id());
  return answered;
}

}  // namespace

TEST_CASE("stages: a process reward model learns which steps are right") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", solutions(160), 0.25);
  const StageSummary summary = quick_step_model().run(tiny.run);
  REQUIRE(summary.held_out.size() == 2);
  CHECK(*summary.held_out[0].after >= 0.95);
  CHECK(*summary.held_out[1].after >= 0.9);
  CHECK(tiny.series("eval/loss").back() < tiny.series("eval/loss").front());
  CHECK(tiny.run.model->plan.labels == std::vector<std::string>{"false", "true"});
  save(tiny);

  tiny.run.catalogs = &policy_table();
  const Services services = tiny.run.services();
  const auto scorer = services.step_scorer("steps", "\n");
  const StepScorer::Item items[] = {{"kk?", {"xyzx", "abca", "zzyx"}}, {"kk?", {"bacb"}}};
  const auto right = scorer->score(items);
  REQUIRE(right.size() == 2);
  REQUIRE(right[0].size() == 3);
  CHECK(right[0][0] > 0.8);
  CHECK(right[0][1] < 0.2);
  CHECK(right[0][2] > 0.8);
  CHECK(right[1][0] < 0.2);

  ProcessScoreSpec spec;
  spec.model = "steps";
  const Episode episodes[] = {answer(tiny, "xyzx\nabca\nzzyx"), answer(tiny, "\n \n")};
  const std::vector<Score> scores = spec.make(services)->score(episodes);
  REQUIRE(scores[0].spans.size() == 2);
  CHECK(scores[0].spans[0].end_token == 5);
  CHECK(scores[0].spans[1].end_token == 10);
  CHECK(scores[0].spans[0].value == right[0][0]);
  CHECK(scores[0].spans[1].value == right[0][1]);
  CHECK(scores[0].value == right[0][2]);
  CHECK(scores[0].parts.at(1) == std::pair<std::string, double>("min", right[0][1]));
  CHECK(scores[1].value == 0);
  CHECK(scores[1].spans.empty());
}

TEST_CASE("stages: reinforcement learning has the reward of each step where it ends") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", solutions(40));
  RewardModelSpec verifier = quick_step_model();
  verifier.training.steps = 5;
  verifier.run(tiny.run);
  save(tiny);
  tiny.run.catalogs = &policy_table();
  auto steps = std::make_unique<ProcessScoreSpec>();
  steps->kind = steps->name = "process_score";
  steps->model = "steps";
  steps->to = {-1, 1};
  GrpoSpec spec = quick<GrpoSpec>("grpo", std::move(steps));
  spec.rl.iterations = 2;
  spec.credit = Credit::process;
  spec.run(tiny.run);
  CHECK(all_are(tiny.series("reward_errors"), 0));
  CHECK(tiny.series("rewards/process_score/steps/mean").at(0) > 0);
  CHECK(tiny.series("rewards/process_score/min/mean").at(0) <= tiny.series("rewards/process_score/mean/mean").at(0));
  CHECK(tiny.series("grad_norm").at(1) > 0);
}

TEST_CASE("stages: the gradient of steps does not depend on the bound of a pass, and labels stand at separators alone") {
  check_first_step_is_the_same_in_parts(solutions(64), quick_step_model);
}

TEST_CASE("stages: `positive` says which label is a right step") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", solutions(8));
  RewardModelSpec spec = quick_step_model();
  spec.training.steps = 1;
  spec.positive = "false";
  spec.run(tiny.run);
  CHECK(tiny.run.model->plan.labels == std::vector<std::string>{"true", "false"});
}

TEST_CASE("stages: bad input of a process reward model") {
  const auto run = [](const std::string& lines, RewardModelSpec spec = quick_step_model()) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", lines);
    spec.run(tiny.run);
  };
  HONE_CHECK_ERROR(data, run(R"({"prompt":"a","completions":["b",""],"labels":[true,false]})"), "rows.jsonl:1", "step 2");
  HONE_CHECK_ERROR(data, run(R"({"prompt":"a","completions":["b"],"labels":[true]})"), "two classes");
  HONE_CHECK_ERROR(data, run(R"({"prompt":")" + std::string(60, 'a') + R"(","completions":["b","c"],"labels":[true,false]})"),
                   "all labels are masked", "48 tokens");
  RewardModelSpec weighted = quick_step_model();
  weighted.weights = {{"help", 1}};
  HONE_CHECK_ERROR(config, run(solutions(4), weighted), "weights");
  RewardModelSpec separated = quick_step_model();
  separated.step_separator = "\n\n";
  HONE_CHECK_ERROR(config, run(R"({"prompt":"a","chosen":"b","rejected":"c"})", separated), "step_separator");
  TinyRun plain;
  auto no_head = std::make_unique<Model>(*plain.run.policy, HeadPlan{.scores = 1}, plain.run.compute, false);
  HONE_CHECK_ERROR(data, step_scorer(std::move(no_head), byte_tokenizer(), "\n"), "no process reward model");
}
