#include "stages/reference.h"

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

at::Tensor Reference::logprobs(const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass) {
  if (copy_ != nullptr) return batch_logprobs(*copy_, batch, inverse_temperature, tokens_per_pass);
  struct Swapped {
    Reference& reference;
    explicit Swapped(Reference& r) : reference(r) { reference.swap_adapters(); }
    ~Swapped() { reference.swap_adapters(); }
  } const swapped(*this);
  return batch_logprobs(model_, batch, inverse_temperature, tokens_per_pass);
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
