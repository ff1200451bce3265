#include "stages/reference.h"

#include "base/error.h"
#include "stages/model_directory.h"
#include "stages/packed_forward.h"

namespace hone {

Reference::Reference(Run& run) : model_(*run.model) {
  if (!model_.store.has_adapters()) {
    copy_ = run.frozen_copy();
    return;
  }
  for (const Segment& segment : model_.store.segments()) {
    if (segment.role != SegmentRole::adapter) continue;
    const Parameter parameter = model_.store.find(segment.name);
    kept_.emplace_back(parameter, parameter.weight().clone());
  }
}

Reference::Reference(Run& run, const std::string& stage_or_directory)
    : model_(*run.model), copy_(std::make_unique<Model>(*run.policy, HeadPlan{}, run.compute, false)) {
  load_weights(*copy_, run.model_place(stage_or_directory));
}

at::Tensor Reference::logprobs(const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass) {
  if (copy_ != nullptr) return batch_logprobs(*copy_, batch, inverse_temperature, tokens_per_pass);
  struct Swapped {
    Reference& reference;
    explicit Swapped(Reference& r) : reference(r) { reference.swap_adapters(); }
    ~Swapped() { reference.swap_adapters(); }
  } const swapped(*this);
  return batch_logprobs(model_, batch, inverse_temperature, tokens_per_pass);
}

void Reference::move(double mix) {
  for (auto& [parameter, values] : kept_) values.lerp_(parameter.weight(), mix);
  if (copy_ == nullptr) return;
  if (model_.store.has_adapters()) {
    fail(ErrorKind::config, "kl.reference_every: a named reference has no adapters and cannot move towards a policy that has");
  }
  const at::Tensor before = copy_->store.weights().clone();
  copy_->copy_weights(model_);
  if (mix == 1) return;
  at::Tensor& weights = copy_->store.weights();
  weights.copy_(before.lerp(weights, mix));
  copy_->store.refresh();
}

void Reference::exchange(TrainerState& state) {
  if (copy_ != nullptr) {
    state.store("reference", copy_->store);
    return;
  }
  for (auto& [parameter, values] : kept_) state.tensor("reference." + parameter.segment().name, values);
}

void Reference::swap_adapters() {
  for (auto& [parameter, values] : kept_) {
    at::Tensor weight = parameter.weight();
    const at::Tensor now = weight.clone();
    weight.copy_(values);
    values.copy_(now);
  }
  model_.store.refresh_adapters();
}

}  // namespace hone
