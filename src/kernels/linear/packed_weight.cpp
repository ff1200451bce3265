#include <algorithm>
#include <bit>
#include <optional>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/int8_cpu.h"

namespace hone::kernels {

namespace {

std::int64_t panels_of(std::int64_t columns) { return (columns + panel_width - 1) / panel_width; }

template <class T>
T* room(Pages& pages, std::int64_t count) {
  if (pages.bytes() == 0) pages = Pages(count * static_cast<std::int64_t>(sizeof(T)));
  return pages.data<T>();
}

/// Where the panels of a weight go, and how they are made.
class Packing {
 public:
  explicit Packing(PackedWeight::Storage& storage)
      : storage_(storage),
        forward_(room<std::uint32_t>(storage.forward,
                                     panel_words(storage.out_features, storage.in_features, storage.compute))) {
    if (storage.compute == Compute::int8) {
      scales_ = room<float>(storage.scales, panels_of(storage.out_features) * panel_width);
    }
  }

  /// Panels [begin, end); `weight` is row 32 · begin.
  void pack(const float* weight, std::int64_t begin, std::int64_t end) const {
    const std::int64_t depth = storage_.in_features;
    const std::int64_t columns = storage_.out_features - begin * panel_width;
    std::uint32_t* panels = forward_ + begin * panel_words(panel_width, depth, storage_.compute);
    if (storage_.compute == Compute::int8) {
      HONE_SELECT(pack_weight_int8)(weight, columns, depth, 0, end - begin, panels, scales_ + begin * panel_width);
    } else {
      const auto function =
          storage_.compute == Compute::bfloat16 ? HONE_SELECT(pack_weight_bfloat16) : HONE_SELECT(pack_weight_float32);
      function(weight, depth, columns, depth, 0, end - begin, panels);
    }
  }

 private:
  PackedWeight::Storage& storage_;
  std::uint32_t* forward_;
  float* scales_ = nullptr;
};

/// Whether the panels hold values as exactly as they were read.
bool panels_are_exact(const PackedWeight::Storage& storage, bool bfloat16) {
  return storage.reads.products && (storage.compute == Compute::float32 || (storage.compute == Compute::bfloat16 && bfloat16));
}

/// Row n out of its panel.
void unpack_row(const PackedWeight::Storage& storage, std::int64_t n, float* row) {
  const std::uint32_t* word = storage.forward.data<std::uint32_t>() +
                              n / panel_width * panel_words(panel_width, storage.in_features, storage.compute) +
                              n % panel_width;
  if (storage.compute == Compute::float32) {
    for (std::int64_t k = 0; k < storage.in_features; ++k) row[k] = std::bit_cast<float>(word[k * panel_width]);
    return;
  }
  for (std::int64_t k = 0; k < storage.in_features; ++k) {
    const std::uint32_t pair = word[k / 2 * panel_width];
    row[k] = std::bit_cast<float>(k % 2 == 0 ? pair << 16 : pair & 0xffff0000U);
  }
}

}  // namespace

PackedWeight::PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, bool trainable)
    : PackedWeight(out_features, in_features, compute, WeightReads{}) {
  HONE_ASSERT(compute != Compute::int8 || !trainable);
  storage_->trainable = trainable;
}

PackedWeight::PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, const WeightReads& reads)
    : storage_(std::make_unique<Storage>()) {
  HONE_ASSERT(out_features > 0 && in_features > 0);
  HONE_ASSERT(compute != Compute::int8 || (!reads.rows && in_features <= int8_max_depth));
  storage_->out_features = out_features;
  storage_->in_features = in_features;
  storage_->compute = compute;
  storage_->reads = reads;
}

PackedWeight::~PackedWeight() = default;
PackedWeight::PackedWeight(PackedWeight&&) noexcept = default;
PackedWeight& PackedWeight::operator=(PackedWeight&&) noexcept = default;

std::int64_t PackedWeight::out_features() const { return storage_->out_features; }
std::int64_t PackedWeight::in_features() const { return storage_->in_features; }
Compute PackedWeight::compute() const { return storage_->compute; }
bool PackedWeight::fresh() const { return storage_->fresh; }
std::int64_t PackedWeight::bytes() const {
  const Storage& s = *storage_;
  const std::int64_t rows = s.rows_NK.defined() ? static_cast<std::int64_t>(s.rows_NK.nbytes()) : 0;
  return s.forward.bytes() + s.scales.bytes() + s.backward.bytes() + rows;
}

void PackedWeight::refresh(const at::Tensor& weight_NK, const RowHook& before) {
  Storage& s = *storage_;
  HONE_ASSERT(weight_NK.dim() == 2 && weight_NK.size(0) == s.out_features && weight_NK.size(1) == s.in_features);
  HONE_ASSERT(weight_NK.scalar_type() == at::kFloat && weight_NK.is_contiguous() && weight_NK.device().is_cpu());
  HONE_ASSERT(!s.reads.rows);
  const float* weight = weight_NK.const_data_ptr<float>();
  const Packing packing(s);
  const bool with_backward = s.trainable && s.compute == Compute::bfloat16;
  std::uint32_t* const backward =
      with_backward ? room<std::uint32_t>(s.backward, panel_words(s.in_features, s.out_features, s.compute)) : nullptr;
  const std::int64_t words = (s.out_features + 1) / 2;
  // The rows of one panel of the forward products are still in the cache when the backward panels take them.
  parallel_for(panels_of(s.out_features), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t panel = begin; panel < end; ++panel) {
      if (before) before(panel * panel_width, std::min((panel + 1) * panel_width, s.out_features));
      packing.pack(weight + panel * panel_width * s.in_features, panel, panel + 1);
      if (!with_backward) continue;
      constexpr std::int64_t panel_pairs = panel_width / 2;
      const PanelPart part{0, panels_of(s.in_features), panel * panel_pairs, std::min((panel + 1) * panel_pairs, words)};
      HONE_SELECT(pack_rows_bfloat16)(weight, s.in_features, s.in_features, s.out_features, part, backward);
    }
  });
  if (s.trainable && s.compute == Compute::float32) {
    s.weight_NK = weight_NK.detach();
  }
  s.fresh = true;
}

void PackedWeight::refresh(const RowReader& read, bool bfloat16) {
  Storage& s = *storage_;
  HONE_ASSERT(!s.trainable);
  s.rows_NK = at::Tensor();
  if (s.reads.rows && !panels_are_exact(s, bfloat16)) {
    s.rows_NK = at::empty({s.out_features, s.in_features}, bfloat16 ? at::kBFloat16 : at::kFloat);
  }
  const std::optional<Packing> packing = s.reads.products ? std::optional<Packing>(s) : std::nullopt;
  parallel_for(panels_of(s.out_features), 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch scratch;
    float* const rows = scratch.reserve<float>(panel_width * s.in_features);
    for (std::int64_t panel = begin; panel < end; ++panel) {
      const std::int64_t first = panel * panel_width;
      const std::int64_t last = std::min(first + panel_width, s.out_features);
      const std::int64_t count = (last - first) * s.in_features;
      read(first, last, rows);
      if (packing) packing->pack(rows, panel, panel + 1);
      if (!s.rows_NK.defined()) continue;
      if (bfloat16) {
        auto* to = s.rows_NK.data_ptr<at::BFloat16>() + first * s.in_features;
        for (std::int64_t i = 0; i < count; ++i) to[i] = at::BFloat16(rows[i]);
      } else {
        std::copy_n(rows, count, s.rows_NK.data_ptr<float>() + first * s.in_features);
      }
    }
  });
  s.fresh = true;
}

at::Tensor PackedWeight::rows(const at::Tensor& row_M) const {
  const Storage& s = *storage_;
  HONE_ASSERT(s.fresh && s.reads.rows && row_M.scalar_type() == at::kInt && row_M.is_contiguous());
  constexpr std::int64_t grain_rows = 8;
  at::Tensor out_MK = at::empty({row_M.size(0), s.in_features}, at::kFloat);
  const std::int32_t* row = row_M.const_data_ptr<std::int32_t>();
  float* out = out_MK.data_ptr<float>();
  parallel_for(row_M.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t m = begin; m < end; ++m) {
      float* const to = out + m * s.in_features;
      if (!s.rows_NK.defined()) {
        unpack_row(s, row[m], to);
      } else if (s.rows_NK.scalar_type() == at::kFloat) {
        std::copy_n(s.rows_NK.const_data_ptr<float>() + row[m] * s.in_features, s.in_features, to);
      } else {
        const auto* from = s.rows_NK.const_data_ptr<at::BFloat16>() + row[m] * s.in_features;
        for (std::int64_t k = 0; k < s.in_features; ++k) to[k] = static_cast<float>(from[k]);
      }
    }
  });
  return out_MK;
}

}  // namespace hone::kernels
