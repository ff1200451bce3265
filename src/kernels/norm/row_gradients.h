#pragma once

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"

/// What the norms share: checked rows, and backward passes that sum a gradient over rows in a fixed order.
namespace hone::kernels {

inline void check_norm_floats(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

inline const float* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}

/// A gradient that every row adds to, summed in chunks of rows. Chunks are added in order and depend on nothing but the
/// number of rows, so no thread count changes the result.
class RowGradient {
 public:
  static constexpr std::int64_t chunk_rows = 64;
  static std::int64_t chunks(std::int64_t rows) { return (rows + chunk_rows - 1) / chunk_rows; }

  /// `gradient_D` may be undefined: nothing is summed then.
  RowGradient(const at::Tensor& gradient_D, std::int64_t rows, std::int64_t width)
      : gradient_D_(gradient_D), width_(width) {
    if (!gradient_D.defined()) return;
    check_norm_floats(gradient_D, {width});
    partial_CD_ = at::zeros({chunks(rows), width}, at::kFloat);
    partial_ = partial_CD_.data_ptr<float>();
  }

  /// Where the rows of a chunk add to; null when nothing is summed.
  float* chunk(std::int64_t index) const { return partial_ == nullptr ? nullptr : partial_ + index * width_; }

  /// Adds all chunks to the gradient.
  void finish() {
    if (partial_ == nullptr) return;
    float* gradient = gradient_D_.data_ptr<float>();
    for (std::int64_t c = 0; c < partial_CD_.size(0); ++c) {
      for (std::int64_t i = 0; i < width_; ++i) gradient[i] += partial_[c * width_ + i];
    }
  }

 private:
  at::Tensor gradient_D_, partial_CD_;
  float* partial_ = nullptr;
  std::int64_t width_;
};

/// Calls body(chunk, first row, rows) for each chunk, with the team's threads.
template <class Body>
void for_each_row_chunk(std::int64_t rows, const Body& body) {
  parallel_for(RowGradient::chunks(rows), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const std::int64_t first = c * RowGradient::chunk_rows;
      body(c, first, std::min(RowGradient::chunk_rows, rows - first));
    }
  });
}

}  // namespace hone::kernels
