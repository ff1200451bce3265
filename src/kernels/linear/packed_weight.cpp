#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/int8_cpu.h"

namespace hone::kernels {

PackedWeight::PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, bool trainable)
    : storage_(std::make_unique<Storage>()) {
  HONE_ASSERT(out_features > 0 && in_features > 0);
  HONE_ASSERT(compute != Compute::int8 || (!trainable && in_features <= int8_max_depth));
  storage_->out_features = out_features;
  storage_->in_features = in_features;
  storage_->compute = compute;
  storage_->trainable = trainable;
}

PackedWeight::~PackedWeight() = default;
PackedWeight::PackedWeight(PackedWeight&&) noexcept = default;
PackedWeight& PackedWeight::operator=(PackedWeight&&) noexcept = default;

std::int64_t PackedWeight::out_features() const { return storage_->out_features; }
std::int64_t PackedWeight::in_features() const { return storage_->in_features; }
Compute PackedWeight::compute() const { return storage_->compute; }
std::int64_t PackedWeight::bytes() const { 
  return storage_->forward.bytes() + storage_->scales.bytes() + storage_->backward.bytes();
}

void PackedWeight::refresh(const at::Tensor& weight_NK) {
  Storage& s = *storage_;
  HONE_ASSERT(weight_NK.dim() == 2 && weight_NK.size(0) == s.out_features && weight_NK.size(1) == s.in_features);
  HONE_ASSERT(weight_NK.scalar_type() == at::kFloat && weight_NK.is_contiguous() && weight_NK.device().is_cpu());
  const bool bfloat16 = s.compute == Compute::bfloat16;
  const float* weight = weight_NK.const_data_ptr<float>();
  auto* forward = s.forward.reserve<std::uint32_t>(panel_words(s.out_features, s.in_features, s.compute));
  const std::int64_t panels = (s.out_features + panel_width - 1) / panel_width;
  if (s.compute == Compute::int8) {
    auto* scales = s.scales.reserve<float>(panels * panel_width);
    parallel_for(panels, 1, [&](std::int64_t begin, std::int64_t end) {
      HONE_SELECT(pack_weight_int8)(weight, s.out_features, s.in_features, begin, end, forward, scales);
    });
  } else {
    const auto pack = bfloat16 ? HONE_SELECT(pack_weight_bfloat16) : HONE_SELECT(pack_weight_float32);
    parallel_for(panels, 1, [&](std::int64_t begin, std::int64_t end) {
      pack(weight, s.in_features, s.out_features, s.in_features, begin, end, forward);
    });
  }
  if (s.trainable && bfloat16) {
    auto* backward = s.backward.reserve<std::uint32_t>(panel_words(s.in_features, s.out_features, s.compute));
    const auto pack_rows = HONE_SELECT(pack_rows_bfloat16);
    parallel_for((s.in_features + panel_width - 1) / panel_width, 1, [&](std::int64_t begin, std::int64_t end) {
      pack_rows(weight, s.in_features, s.in_features, s.out_features, begin, end, backward);
    });
  } else if (s.trainable) {
    s.weight_NK = weight_NK.detach();
  }
  s.fresh = true;
}

}  // namespace hone::kernels
