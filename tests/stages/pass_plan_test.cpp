#include "stages/pass_plan.h"

#include "algo/batch.h"
#include "base/format.h"
#include "base/memory.h"
#include "config/scalars.h"
#include "kernels/tensor_memory.h"
#include "policies/bert.h"
#include "policies/llama.h"
#include "policies/t5.h"
#include "stages/packed_forward.h"
#include "stages/pretrain.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

/// With drawn weights.
template <class Spec>
std::unique_ptr<Model> model_of(std::int64_t width, std::int64_t layers) {
  Spec spec;
  spec.vocabulary_size = 512;
  spec.hidden = width;
  spec.layers = layers;
  spec.heads = 4;
  spec.mlp = 3 * width;
  spec.context = 256;
  auto model = std::make_unique<Model>(spec, HeadPlan{}, kernels::Compute::float32, true);
  model->store.initialize(3);
  model->store.refresh();
  return model;
}

/// Sequences of `length` tokens, half of them sources where the model reads such.
Batch some_batch(const Model& model, std::int64_t sequences, std::int64_t length) {
  const auto stream = [&](std::int64_t each, at::Tensor& ids_T, at::Tensor& position_T, at::Tensor& start_S1) {
    const at::Tensor position = at::arange(each, at::kInt);
    position_T = position.repeat({sequences});
    ids_T = (position_T * 7 + 3).remainder(512).to(at::kInt);
    start_S1 = (at::arange(sequences + 1, at::kInt) * each).to(at::kInt);
  };
  Batch batch;
  const bool two_sides = model.policy->shape().kind == PolicyKind::encoder_decoder;
  stream(two_sides ? length / 2 : length, batch.ids_T, batch.position_T, batch.start_S1);
  if (two_sides) stream(length / 2, batch.source_ids_U, batch.source_position_U, batch.source_start_S1);
  return batch;
}

/// Of the loss of a language model, as the supervised stages have it.
std::int64_t real_peak(Model& model, bool recompute, std::int64_t sequences, std::int64_t length) {
  model.store.set_gradient_checkpointing(recompute);
  const TensorPeak peak;
  const Batch batch = some_batch(model, sequences, length);
  const at::Tensor hidden_TD = batch_hidden(model, batch);
  const at::Tensor target_T = batch.ids_T.to(at::kLong);
  (model.policy->lm_head().token_statistics(hidden_TD, target_T, 1.0, false).logprob_M.sum() / -8.0).backward();
  model.store.zero_grads();
  return peak.bytes();
}

template <class Spec>
void check_estimate(std::int64_t width, std::int64_t layers) {
  const std::unique_ptr<Model> model = model_of<Spec>(width, layers);
  for (const bool recompute : {false, true}) {
    CAPTURE(width);
    CAPTURE(recompute);
    const PassMemory estimate = measure_pass(*model, {.recompute = recompute, .longest = 128});
    for (const std::int64_t sequences : {4, 16}) {
      const double real = static_cast<double>(real_peak(*model, recompute, sequences, 128));
      const double expected = static_cast<double>(estimate.bytes(128 * sequences));
      CAPTURE(real);
      CAPTURE(expected);
      CHECK(expected / real >= 0.75);
      CHECK(expected / real <= 1.25);
    }
  }
}

/// 1 MiB and 10 KiB a token; computed again 2 KiB a token.
PassMemory made_up(bool recompute) { return {.fixed = kMiB, .per_token = recompute ? 2048.0 : 10240.0}; }

/// 64 MiB of which are set aside for buffers of kernels.
MemoryRoom room_of(std::int64_t mebibytes) { return {.held = 100 * kMiB, .room = (64 + mebibytes) * kMiB, .allowed = "test"}; }

PassPlan decide(const PassWishes& wishes, const PassNeeds& needs, std::int64_t mebibytes) {
  return decide_passes(wishes, needs, room_of(mebibytes), made_up, "sft");
}

}  // namespace

TEST_CASE("stages: what a pass takes is told from two small ones, for models of several sizes and families") {
  check_estimate<LlamaSpec>(64, 2);
  check_estimate<LlamaSpec>(128, 6);
  check_estimate<BertSpec>(64, 4);
  check_estimate<T5Spec>(64, 3);
}

TEST_CASE("stages: a measurement counts small tensors too, in the memory that the program gives them") {
  const std::unique_ptr<Model> model = model_of<LlamaSpec>(64, 2);
  const PassMemory before = measure_pass(*model, {.longest = 128});
  c10::Allocator* const allocator = c10::GetAllocator(c10::DeviceType::CPU);
  c10::SetAllocator(c10::DeviceType::CPU, &kernels::tensor_memory(), 1);
  const PassMemory after = measure_pass(*model, {.longest = 128});
  c10::SetAllocator(c10::DeviceType::CPU, allocator, 1);
  CHECK(after.per_token / before.per_token >= 0.95);
  CHECK(after.per_token / before.per_token <= 1.25);  // sizes are rounded up
}

TEST_CASE("stages: a measurement leaves weights, gradients and the way blocks are computed as they were") {
  const std::unique_ptr<Model> model = model_of<LlamaSpec>(64, 2);
  const at::Tensor weights = model->store.weights().clone();
  model->store.set_gradient_checkpointing(true);
  measure_pass(*model, {.recompute = false, .dropout = 0.1, .longest = 1000});
  CHECK(at::equal(model->store.weights(), weights));
  CHECK(model->store.grads().abs().max().item<float>() == 0);
  CHECK(model->store.gradient_checkpointing());
  CHECK(model->store.version() == 0);
}

TEST_CASE("stages: passes are cut to the memory that there is before blocks are computed again") {
  const PassNeeds needs{.longest = 200};
  CHECK(decide({}, needs, 1000).tokens == 2048);
  CHECK(!decide({}, needs, 1000).recompute);
  const PassPlan cut = decide({}, needs, 12);
  CHECK(cut.tokens == 960);  // (12 / 1.1 - 1) MiB of 10 KiB, in multiples of 64
  CHECK(!cut.recompute);
  const PassPlan again = decide({}, needs, 3);  // 176 tokens of 10 KiB would fit: too few to be worth it
  CHECK(again.tokens == 832);
  CHECK(again.recompute);
  const PassPlan later = decide({}, {.longest = 200, .later = 9 * kMiB}, 12);
  CHECK(later.tokens == again.tokens);
  CHECK(later.recompute);
}

TEST_CASE("stages: no pass is planned for more than a step has, nor for less than a row") {
  CHECK(decide({}, {.step_tokens = 300, .longest = 30}, 5).tokens == 2048);  // one pass a step
  CHECK(decide({}, {.step_tokens = 9000, .longest = 3000}, 1000).tokens == 2048);
  HONE_CHECK_ERROR(config, decide({}, {.longest = 3000}, 5), "a pass of 3000 tokens", "Take shorter rows");
}

TEST_CASE("stages: numbers of the file are kept, and refused where they do not fit") {
  const PassNeeds needs{.longest = 30};
  CHECK(decide({.tokens_per_pass = 5000}, needs, 1000).tokens == 5000);
  const PassPlan again = decide({.tokens_per_pass = 5000}, needs, 20);
  CHECK(again.tokens == 5000);
  CHECK(again.recompute);
  const PassPlan asked = decide({.gradient_checkpointing = true}, needs, 1000);
  CHECK(asked.tokens == 2048);
  CHECK(asked.recompute);
  HONE_CHECK_ERROR(config, decide({.tokens_per_pass = 5000}, needs, 5), "sft: needs 176 MiB", "100 MiB that it holds",
                   "64 MiB for caches and buffers", "a pass of 5000 tokens", "may take 169 MiB (test)", "Lower tokens_per_pass",
                   "memory: 176MiB");
}

TEST_CASE("stages: a budget is kept to, and refused when weights alone exceed it") {
  const std::unique_ptr<Model> model = model_of<LlamaSpec>(128, 6);
  const PassMemory whole = measure_pass(*model, {.longest = 128});
  const std::int64_t left = whole.bytes(2048) / 3;
  const std::string budget = std::to_string(held_memory() + 64 * kMiB + left);
  const PassPlan plan = plan_passes(*model, {.memory = budget}, {.longest = 128}, "sft");
  CHECK(plan.tokens < 2048);
  CHECK(plan.tokens >= 256);
  CHECK(real_peak(*model, plan.recompute, plan.tokens / 128, 128) <= left);
  HONE_CHECK_ERROR(config, plan_passes(*model, {.memory = "1MiB"}, {.longest = 128}, "sft"), "sft: needs ", "may take ",
                   "memory: 1MiB");
  CHECK(plan_passes(*model, {}, {.longest = 128}, "sft").tokens == 2048);
}

TEST_CASE("stages: a resumed stage keeps its plan, whatever memory there is then") {
  const auto make = [](TinyRun& tiny, const std::string& memory) {
    tiny.add_data("rows", "rows.txt", "one row of text\nanother row of text\n");
    PretrainSpec spec;
    spec.kind = spec.name = "pretrain";
    spec.source.data = "rows";
    spec.training.steps = 1;
    spec.training.memory = memory;
    return spec;
  };
  TinyRun tiny;
  HONE_CHECK_ERROR(config, make(tiny, "1MiB").run(tiny.run), "pretrain: needs ", "memory: 1MiB");
  TinyRun enough;
  make(enough, "auto").run(enough.run);
  CHECK(enough.text.find("passes of at most 2048 tokens") != std::string::npos);
  TrainerState saved;
  PassPlan plan{.tokens = 704, .recompute = true};
  plan.exchange(saved);
  TrainerState restored(tiny.scratch.path(), saved.values());
  PassPlan found;
  found.exchange(restored);
  CHECK(found.tokens == 704);
  CHECK(found.recompute);
}
