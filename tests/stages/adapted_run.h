#pragma once

#include <vector>

#include "nn/lora.h"
#include "stages/tiny_run.h"

namespace hone::test {

/// The run's model with adapters on the same base weights.
inline void add_adapters(TinyRun& tiny, const LoraConfig& lora) {
  tiny.run.tuning.lora = lora;
  auto adapted = std::make_unique<Model>(*tiny.run.policy, HeadPlan{}, tiny.run.compute, true, tiny.run.tuning);
  adapted->store.initialize(tiny.run.seed);
  adapted->copy_weights(*tiny.run.model);
  initialize_magnitudes(adapted->store);
  adapted->store.refresh();
  tiny.run.model = std::move(adapted);
}

inline std::vector<at::Tensor> weights_of(Model& model, SegmentRole role) {
  std::vector<at::Tensor> weights;
  for (const Segment& segment : model.store.segments()) {
    if (segment.role == role) weights.push_back(model.store.find(segment.name).weight().clone());
  }
  return weights;
}

inline bool same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!at::equal(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

}  // namespace hone::test
