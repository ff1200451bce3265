#include "stages/pass_memory.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "algo/batch.h"
#include "base/error.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

/// Few enough for a moment's work, enough that what a pass always takes is told apart from what its tokens take.
constexpr std::int64_t few_tokens = 64, more_tokens = 192;

/// Sequences of at most `length` tokens, `tokens` together.
void fill_stream(std::int64_t tokens, std::int64_t length, std::int64_t vocabulary, at::Tensor& ids_T, at::Tensor& position_T,
                 at::Tensor& start_S1) {
  std::vector<std::int32_t> ids, position, start{0};
  for (std::int64_t t = 0; t < tokens; ++t) {
    ids.push_back(static_cast<std::int32_t>(t * 31 % vocabulary));
    position.push_back(static_cast<std::int32_t>(t % length));
    if ((t + 1) % length == 0 || t + 1 == tokens) start.push_back(static_cast<std::int32_t>(t + 1));
  }
  ids_T = stream_tensor(ids, at::kInt);
  position_T = stream_tensor(position, at::kInt);
  start_S1 = stream_tensor(start, at::kInt);
}

Batch trial_batch(const PolicyShape& shape, std::int64_t tokens, std::int64_t longest) {
  Batch batch;
  const std::int64_t length = std::clamp<std::int64_t>(longest, 1, std::min(shape.context, tokens));
  if (shape.kind != PolicyKind::encoder_decoder) {
    fill_stream(tokens, length, shape.vocabulary, batch.ids_T, batch.position_T, batch.start_S1);
    return batch;
  }
  const std::int64_t half = std::max<std::int64_t>(1, length / 2);  // a row's tokens are those of both sides
  fill_stream(tokens / 2, half, shape.vocabulary, batch.ids_T, batch.position_T, batch.start_S1);
  fill_stream(tokens / 2, half, shape.vocabulary, batch.source_ids_U, batch.source_position_U, batch.source_start_S1);
  return batch;
}

/// Something that needs every output of the model's heads.
at::Tensor trial_loss(Model& model, const at::Tensor& hidden_TD, const Batch& batch) {
  at::Tensor loss = hidden_TD.sum(at::kDouble) * 0.0;
  if (model.plan.lm) {
    const auto tokens = model.policy->lm_head().token_statistics(hidden_TD, batch.ids_T.to(at::kLong), 1.0, true);
    loss = loss + tokens.logprob_M.sum(at::kDouble) + tokens.entropy_M.sum(at::kDouble);
  }
  if (model.value) loss = loss + (*model.value)(hidden_TD).sum(at::kDouble);
  if (model.score) loss = loss + (*model.score)(model.score->pick(hidden_TD, batch.start_S1)).sum(at::kDouble);
  return loss;
}

std::int64_t peak_of(Model& model, const PassTrial& trial, std::int64_t tokens) {
  const TensorPeak peak;
  const Batch batch = trial_batch(model.policy->shape(), tokens, trial.longest);
  trial_loss(model, batch_hidden(model, batch, trial.dropout, 1), batch).backward();
  return peak.bytes();
}

}  // namespace

std::int64_t PassMemory::bytes(std::int64_t tokens) const {
  return static_cast<std::int64_t>(fixed + per_token * static_cast<double>(tokens));
}

PassMemory measure_pass(Model& model, const PassTrial& trial) {
  const bool before = model.store.gradient_checkpointing();
  model.store.set_gradient_checkpointing(trial.recompute);
  const std::int64_t few = peak_of(model, trial, few_tokens);
  const std::int64_t more = peak_of(model, trial, more_tokens);
  model.store.set_gradient_checkpointing(before);
  model.store.zero_grads();
  PassMemory memory;
  memory.per_token = static_cast<double>(more - few) / (more_tokens - few_tokens);
  memory.fixed = std::max(0.0, static_cast<double>(few) - memory.per_token * few_tokens);
  return memory;
}

struct TensorPeak::Counter : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device device) override {
    if (!device.is_cpu()) return;
    held += size;
    peak = std::max(peak, held);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t held = 0, peak = 0;
};

struct TensorPeak::State {
  std::shared_ptr<Counter> counter = std::make_shared<Counter>();
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, counter};
};

TensorPeak::TensorPeak() : state_(std::make_unique<State>()) {}
TensorPeak::~TensorPeak() = default;

std::int64_t TensorPeak::bytes() const { return state_->counter->peak; }

}  // namespace hone
