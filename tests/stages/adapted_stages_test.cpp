// Stages that learn from rows and from sampled answers with adapters: the base stays, the adapters learn, and what they
// are compared with is the model as it began.
#include <cmath>

#include "stages/adapted_run.h"
#include "stages/best_of_n.h"
#include "stages/distill.h"
#include "stages/dpo.h"
#include "stages/kto.h"
#include "stages/model_directory.h"
#include "stages/online_dpo.h"
#include "stages/ppo.h"
#include "stages/reward_model.h"
#include "stages/sft.h"
#include "stages/tiny_rl.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kSteps = 3;

/// Sixteen prompts, each with what stands behind it: for even ones and for odd ones.
std::string rows(const std::string& even, const std::string& odd) {
  std::string lines;
  for (int i = 0; i < 16; ++i) {
    lines += R"({"prompt":")" + std::to_string(i) + R"(q",)" + (i % 2 == 0 ? even : odd) + "}\n";
  }
  return lines;
}

const std::string answers = rows(R"("completion":"ab")", R"("completion":"ba")");
const std::string pairs = rows(R"("chosen":"ab","rejected":"ba")", R"("chosen":"abc","rejected":"b")");
const std::string judged = rows(R"("completion":"ab","label":true)", R"("completion":"ba","label":false)");

template <class Spec>
Spec short_stage() {
  Spec spec;
  spec.kind = spec.name = "stage";
  spec.training.steps = kSteps;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 3e-3;
  if constexpr (requires { spec.data; }) spec.data = "rows";
  if constexpr (requires { spec.source; }) spec.source.data = "rows";
  return spec;
}

template <class Spec>
Spec short_sampled() {
  Spec spec = short_stage<Spec>();
  spec.prompts.environment = std::make_unique<FirstLetterSpec>();
  spec.prompts.rewards.push_back(low_ids());
  spec.prompts.sampling.max_tokens = 4;
  spec.prompts.evaluation.prompts = 2;
  spec.samples = 4;
  return spec;
}

/// Runs the stage on a model with new adapters, with dropout of their inputs when `dropout` says so.
template <class Spec>
void learn_adapters(TinyRun& tiny, const Spec& spec, double dropout = 0) {
  add_adapters(tiny, {.rank = 4, .alpha = 16, .dropout = dropout});
  const std::vector<at::Tensor> base = weights_of(*tiny.run.model, SegmentRole::trunk);
  const std::vector<at::Tensor> adapters = weights_of(*tiny.run.model, SegmentRole::adapter);
  REQUIRE(adapters.size() > 4);
  spec.run(tiny.run);
  CHECK(same(weights_of(*tiny.run.model, SegmentRole::trunk), base));
  const std::vector<at::Tensor> learned = weights_of(*tiny.run.model, SegmentRole::adapter);
  for (std::size_t i = 0; i < adapters.size(); ++i) CHECK(!at::equal(learned[i], adapters[i]));
}

/// A loss that compares with a reference begins where both are the same and moves away.
void check_begins_at_reference(const TinyRun& tiny) {
  for (const char* metric : {"rewards/chosen", "rewards/rejected"}) {
    const std::vector<double> values = tiny.series(metric);
    CHECK(std::abs(values.at(0)) <= 1e-6);
    CHECK(values.at(kSteps - 1) != 0);
  }
}

}  // namespace

TEST_CASE("stages: sft, dpo and kto learn adapters alone, the last two against the base") {
  TinyRun sft;
  sft.add_data("rows", "rows.jsonl", answers);
  learn_adapters(sft, short_stage<SftSpec>());
  CHECK(sft.series("loss").back() < sft.series("loss").front());
  TinyRun dpo;
  dpo.add_data("rows", "rows.jsonl", pairs);
  learn_adapters(dpo, short_stage<DpoSpec>());
  CHECK(dpo.series("loss").at(0) == doctest::Approx(std::log(2)));
  CHECK(dpo.series("loss").back() < dpo.series("loss").front());
  check_begins_at_reference(dpo);
  TinyRun kto;
  kto.add_data("rows", "rows.jsonl", judged);
  learn_adapters(kto, short_stage<KtoSpec>());
  CHECK(kto.series("kl").at(0) == 0);
  check_begins_at_reference(kto);
}

TEST_CASE("stages: a reward model learns its adapters and its head") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs);
  learn_adapters(tiny, short_stage<RewardModelSpec>());
  TinyRun untrained;  // heads are drawn from the seed
  untrained.run.use_heads({.lm = false, .scores = 1});
  CHECK(!same(weights_of(*tiny.run.model, SegmentRole::head), weights_of(*untrained.run.model, SegmentRole::head)));
  CHECK(tiny.series("loss").back() < tiny.series("loss").front());
}

TEST_CASE("stages: what learns from sampled answers learns adapters alone, whose dropout never falls on the samples") {
  TinyRun plain, best;
  learn_adapters(plain, short_sampled<OnlineDpoSpec>());
  check_begins_at_reference(plain);
  learn_adapters(best, short_sampled<BestOfNSpec>());
  TinyRun dropped;
  OnlineDpoSpec spec = short_sampled<OnlineDpoSpec>();
  spec.training.optimizer.learning_rate = 0;
  add_adapters(dropped, {.rank = 4, .alpha = 16, .dropout = 0.5});
  spec.prompts.evaluation.every = 1;
  spec.prompts.evaluation.prompts = 100;
  for (const Segment& segment : dropped.run.model->store.segments()) {
    if (segment.name.ends_with(".lora_b")) dropped.run.model->store.find(segment.name).weight().fill_(0.05);
  }
  dropped.run.model->store.refresh();
  spec.run(dropped.run);
  const std::vector<double> reward = dropped.series("eval/reward");
  for (const double value : reward) CHECK(value == reward[0]);
}

TEST_CASE("stages: a student learns adapters, and ppo's shared critic learns beside them") {
  TinyRun student;
  Catalogs catalogs;
  catalogs.add<PolicySpec>({"policy", {{"llama", "", [] { return std::unique_ptr<Component>(new LlamaSpec); }}}});
  student.run.catalogs = &catalogs;
  Model teacher(*student.run.policy, HeadPlan{}, student.run.compute, false);
  teacher.store.initialize(99);
  teacher.store.refresh();
  save_model_directory(teacher, *student.run.tokenizer, student.run.initial_model());
  DistillSpec distill = short_stage<DistillSpec>();
  distill.teacher = "initial";
  distill.source.data.reset();
  distill.source.environment = std::make_unique<FirstLetterSpec>();
  learn_adapters(student, distill);
  CHECK(student.series("loss").back() < student.series("loss").front());

  TinyRun tiny;
  PpoSpec ppo = quick<PpoSpec>("ppo");
  ppo.rl.iterations = kSteps;
  ppo.rl.kl.place = KlPlace::reward;
  learn_adapters(tiny, ppo, 0.2);
  CHECK(all_are(tiny.series("logprob_gap/max"), 0));
  CHECK(tiny.series("kl").at(0) == 0);
}
