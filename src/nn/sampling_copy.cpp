#include "nn/sampling_copy.h"

#include "base/error.h"

namespace hone {

SamplingCopy::SamplingCopy(ParameterStore& store) : store_(store) {
  for (const Segment& segment : store.segments_) {
    const bool wanted = segment.matrix && store.in_arena(segment) && !segment.lookup &&
                        segment.role != SegmentRole::lm_head && segment.role != SegmentRole::adapter;
    copies_.push_back(wanted ? std::make_unique<kernels::PackedWeight>(segment.shape[0], segment.shape[1],
                                                                       kernels::Compute::int8, false)
                             : nullptr);
  }
}

void SamplingCopy::exchange() {
  for (std::size_t i = 0; i < copies_.size(); ++i) {
    if (copies_[i] != nullptr) std::swap(copies_[i], store_.packed_[i]);
  }
}

std::int64_t SamplingCopy::bytes() const {
  std::int64_t total = 0;
  for (const auto& copy : copies_) total += copy == nullptr ? 0 : copy->bytes();
  return total;
}

SamplingCopy::Use::Use(SamplingCopy& copy) : copy_(copy) {
  HONE_ASSERT(copy.copies_.size() == copy.store_.packed_.size());
  for (std::size_t i = 0; i < copy.copies_.size(); ++i) {
    if (copy.copies_[i] != nullptr) copy.copies_[i]->refresh(Parameter(&copy.store_, i).weight());
  }
  copy.exchange();
}

SamplingCopy::Use::~Use() { copy_.exchange(); }

}  // namespace hone
