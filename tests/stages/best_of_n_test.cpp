#include "stages/best_of_n.h"

#include "io/file.h"
#include "stages/distill.h"
#include "stages/model_directory.h"
#include "stages/online_dpo.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

template <class Spec>
Spec quick_stage(std::int64_t steps) {
  Spec spec;
  spec.kind = spec.name = "stage";
  spec.prompts.environment = std::make_unique<FirstLetterSpec>();
  spec.prompts.rewards.push_back(low_ids());
  spec.prompts.sampling.max_tokens = 4;
  spec.prompts.evaluation.sampling.max_tokens = 4;
  spec.prompts.evaluation.samples = 32;
  spec.samples = 8;
  spec.training.steps = steps;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 3e-3;
  return spec;
}

template <class Spec>
void check_rises(Spec spec) {
  TinyRun tiny;
  spec.run(tiny.run);
  const std::vector<double> reward = tiny.series("eval_sampled/reward");
  REQUIRE(reward.size() >= 2);
  CAPTURE(reward.front());
  CHECK(reward.back() > reward.front() + 0.1);
}

}  // namespace

TEST_CASE("stages: online DPO, the best of n and rejection sampling raise the reward of sampled answers") {
  check_rises(quick_stage<OnlineDpoSpec>(100));
  check_rises(quick_stage<BestOfNSpec>(100));
  RejectionSamplingSpec good = quick_stage<RejectionSamplingSpec>(100);
  good.least_reward = 0.5;
  check_rises(std::move(good));
}

TEST_CASE("stages: one answer a prompt is kept, and none good enough is an error") {
  TinyRun tiny;
  BestOfNSpec spec = quick_stage<BestOfNSpec>(1);
  spec.train_prompts = 10;
  spec.run(tiny.run);
  CHECK(std::filesystem::exists(tiny.run.directory / "stage_kept.json"));
  CHECK(Json::parse(read_file(tiny.run.directory / "stage_kept.json"), "kept").as_array().size() == 10);
  spec.least_reward = 2;
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "none of 80 answers to 10 prompts", "least_reward");
}

TEST_CASE("stages: pairs of online DPO do not depend on how the batch is cut") {
  const auto second_step = [](std::int64_t tokens_per_pass) {
    TinyRun tiny;
    OnlineDpoSpec spec = quick_stage<OnlineDpoSpec>(2);
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.run(tiny.run);
    return std::pair(tiny.series("loss").at(1), tiny.series("grad_norm").at(1));
  };
  const auto whole = second_step(8192), cut = second_step(1);
  CHECK(cut.first == doctest::Approx(whole.first).epsilon(1e-5));
  CHECK(cut.second == doctest::Approx(whole.second).epsilon(1e-5));
}

TEST_CASE("stages: a student comes nearer to its teacher, on given completions and on its own") {
  for (const double share : {0.0, 0.5, 1.0}) {
    CAPTURE(share);
    TinyRun tiny;
    Catalogs catalogs;
    catalogs.add<PolicySpec>({"policy", {{"llama", "", [] { return std::unique_ptr<Component>(new LlamaSpec); }}}});
    tiny.run.catalogs = &catalogs;
    Model teacher(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false);
    teacher.store.initialize(99);
    teacher.store.refresh();
    save_model_directory(teacher, *tiny.run.tokenizer, tiny.scratch.path() / "teacher");
    DistillSpec spec;
    spec.kind = spec.name = "distill";
    spec.teacher = (tiny.scratch.path() / "teacher").string();
    spec.source.environment = std::make_unique<FirstLetterSpec>();
    spec.student_share = share;
    spec.sampling.max_tokens = 4;
    spec.training.steps = 40;
    spec.training.batch_size = 16;
    spec.training.optimizer.learning_rate = 3e-3;
    spec.run(tiny.run);
    const std::vector<double> loss = tiny.series("loss");
    CHECK(loss.back() < 0.5 * loss.front());
    if (share < 1) CHECK(tiny.series("eval/loss").back() < 0.5 * tiny.series("eval/loss").front());
  }
}
