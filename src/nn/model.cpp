#include "nn/model.h"

#include "base/error.h"

namespace hone {

Model::Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, bool trainable)
    : store(compute, trainable), policy(spec.make(store)) {
  const std::int64_t hidden = policy->shape().hidden;
  if (plan.value) value.emplace(store, HeadKind::value, hidden, 1);
  if (plan.scores > 0) {
    score.emplace(store, plan.scores_are_classes ? HeadKind::classes : HeadKind::reward, hidden, plan.scores);
  }
  store.allocate();
}

void Model::copy_weights(Model& from, std::string_view except) {
  for (const Segment& segment : store.segments()) {
    const Parameter source = from.store.find(segment.name);
    if (!source.defined() || segment.name == except) continue;
    if (source.segment().shape != segment.shape) {
      fail(ErrorKind::internal, "segment '{}' has another shape in the model it is copied from", segment.name);
    }
    store.find(segment.name).weight().copy_(source.weight());
  }
  store.refresh();
}

kernels::AttentionPlan packed_plan(const Policy& policy, const at::Tensor& start_S1, const at::Tensor& position_T) {
  kernels::AttentionPlan plan;
  plan.window = policy.shape().window;
  plan.start_S1 = start_S1;
  plan.position_T = position_T;
  return plan;
}

}  // namespace hone
