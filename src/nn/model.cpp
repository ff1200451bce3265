#include "nn/model.h"

#include "base/error.h"

namespace hone {

void TuningConfig::describe(Fields& f) {
  f.field("freeze", freeze,
          "Tensors that are not trained, by Hugging Face name, with * for anything (model.layers.0.*).");
  f.section("lora", lora, "Low-rank adapters: train small updates of the matrices instead of the matrices.");
}

Model::Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, bool trainable,
             const TuningConfig& tuning)
    : Model(spec, plan, compute, trainable ? WeightUse::train : WeightUse::keep, tuning) {}

Model::Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, WeightUse use,
             const TuningConfig& tuning)
    : store(compute, use), policy(spec.make(store, plan.lm)), plan(plan), tuning(tuning) {
  const std::int64_t hidden = policy->shape().hidden;
  if (tuning.lora.enabled()) attach_lora(store, tuning.lora);
  if (!tuning.freeze.empty()) freeze_segments(store, tuning.freeze);
  if (plan.value) value.emplace(store, HeadKind::value, policy->head_form(HeadKind::value), hidden, 1);
  if (plan.scores > 0) {
    score.emplace(store, plan.score_kind, policy->head_form(plan.score_kind), hidden, plan.scores);
  }
  if (plan.is_trunk()) declare_pooler(store, policy->head_form(HeadKind::classes), hidden);
  store.allocate();
}

void Model::copy_weights(Model& from, bool with_head) {
  for (const Segment& segment : store.segments()) {
    const Parameter source = from.store.find(segment.name);
    if (!source.defined() || (segment.role == SegmentRole::head && !with_head)) continue;
    if (source.segment().shape != segment.shape) {
      fail(ErrorKind::internal, "segment '{}' has another shape in the model it is copied from", segment.name);
    }
    store.fill(store.find(segment.name), rows_of(source.weight()));
  }
  store.refresh();
}

kernels::AttentionPlan packed_plan(const at::Tensor& start_S1, const at::Tensor& position_T) {
  kernels::AttentionPlan plan;
  plan.start_S1 = start_S1;
  plan.position_T = position_T;
  return plan;
}

}  // namespace hone
