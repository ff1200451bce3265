#include "io/safetensors.h"
#include "stages/adapted_run.h"
#include "stages/adapter_directory.h"
#include "stages/grpo.h"
#include "stages/model_directory.h"
#include "stages/packed_forward.h"
#include "stages/tiny_rl.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;
namespace fs = std::filesystem;

namespace {

at::Tensor logits_of(Model& model) {
  const at::NoGradGuard no_grad;
  Batch batch;
  batch.ids_T = at::arange(40, 52, at::kInt);
  batch.start_S1 = at::tensor({0, 12}, at::kInt);
  batch.position_T = at::arange(12, at::kInt);
  return model.policy->lm_head().logits(batch_hidden(model, batch));
}

GrpoSpec short_grpo() {
  GrpoSpec spec = quick<GrpoSpec>("grpo", low_ids());
  spec.rl.iterations = 3;
  spec.rl.kl.place = KlPlace::loss;
  spec.rl.kl.estimator = KlEstimator::k3;
  return spec;
}

}  // namespace

TEST_CASE("stages: adapters learn, their base does not, and sampling sees every update") {
  for (const LoraConfig& lora : {LoraConfig{.rank = 4, .alpha = 8}, LoraConfig{.rank = 4, .alpha = 8, .dora = true},
                                 LoraConfig{.rank = 4, .alpha = 8, .dropout = 0.5}}) {
    TinyRun tiny;
    add_adapters(tiny, lora);
    const std::vector<at::Tensor> base = weights_of(*tiny.run.model, SegmentRole::trunk);
    const std::vector<at::Tensor> adapters = weights_of(*tiny.run.model, SegmentRole::adapter);
    short_grpo().run(tiny.run);
    CHECK(same(weights_of(*tiny.run.model, SegmentRole::trunk), base));
    CHECK(!same(weights_of(*tiny.run.model, SegmentRole::adapter), adapters));
    CHECK(all_are(tiny.series("logprob_gap/max"), 0));
    const std::vector<double> kl = tiny.series("kl");
    CHECK(kl.at(0) == 0);
    CHECK(kl.at(2) != 0);
  }
}

TEST_CASE("stages: the reference of a second stage is the model that it began with, adapters included") {
  TinyRun tiny;
  add_adapters(tiny, {.rank = 4, .alpha = 8});
  short_grpo().run(tiny.run);
  const std::size_t before = tiny.series("kl").size();
  short_grpo().run(tiny.run);
  CHECK(tiny.series("kl").at(before) == 0);
}

TEST_CASE("stages: an adapter directory beside its base gives the same bits back, merged the same numbers") {
  for (const bool dora : {false, true}) {
    TinyRun tiny;
    const fs::path base = tiny.run.initial_model();
    save_model_directory(*tiny.run.model, *tiny.run.tokenizer, base);
    add_adapters(tiny, {.rank = 4, .alpha = 8, .targets = {"q_proj", "v_proj", "down_proj"}, .rslora = true, .dora = dora});
    short_grpo().run(tiny.run);
    tiny.run.tuning.base_model = tiny.run.model->tuning.base_model = base.string();
    const fs::path place = tiny.run.checkpoint_directory("grpo") / "final";
    save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place);
    CHECK(!fs::exists(place / "model.safetensors"));
    CHECK(is_adapter_directory(place));
    const at::Tensor expected = logits_of(*tiny.run.model);

    Model kept(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false, tiny.run.tuning);
    load_weights(kept, place, StoredAdapter::keep);
    CHECK(at::equal(logits_of(kept), expected));

    Model merged(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false);
    load_weights(merged, place);
    CHECK(at::allclose(logits_of(merged), expected, 1e-4, 1e-5));

    TuningConfig other;
    other.lora = {.rank = 8, .alpha = 8, .targets = {"q_proj", "v_proj", "down_proj"}};
    Model wider(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false, other);
    HONE_CHECK_ERROR(data, load_weights(wider, place, StoredAdapter::keep), "rank 4", "rank 8");
  }
}

TEST_CASE("stages: an adapter whose base is gone or another names it") {
  TinyRun tiny;
  const fs::path base = tiny.scratch.path() / "base";
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, base);
  add_adapters(tiny, {.rank = 2, .targets = {"q_proj"}});
  tiny.run.model->tuning.base_model = base.string();
  const fs::path place = tiny.scratch.path() / "adapter";
  save_model_directory(*tiny.run.model, *tiny.run.tokenizer, place);
  Model model(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false);
  fs::rename(base, tiny.scratch.path() / "moved");
  const std::string gone = base.string();
  HONE_CHECK_ERROR(data, load_weights(model, place), "base_model_name_or_path", gone);
}
