#pragma once

#include <cstdint>

#include "kernels/linear/gemm_cpu.h"
#include "kernels/linear/linear.h"
#include "kernels/scratch.h"

namespace hone::kernels {

/// Panels of one operand, in words of `compute` (see gemm_cpu.h).
std::int64_t panel_words(std::int64_t columns, std::int64_t depth, Compute compute);

/// Computes all of `gemm.c` with the team's threads.
void run_gemm(const Gemm& gemm, Compute compute);

/// What PackedWeight holds. Shapes: weight_NK is [out_features, in_features].
struct PackedWeight::Storage {
  std::int64_t out_features = 0;
  std::int64_t in_features = 0;
  Compute compute = Compute::float32;
  bool trainable = false;
  bool fresh = false;    ///< refreshed at least once
  Scratch forward;       ///< panels over out_features, words along in_features
  Scratch backward;      ///< bfloat16 and trainable: panels over in_features, words along out_features
  at::Tensor weight_NK;  ///< float32 and trainable: read by backward
};

/// C = A · Wᵀ and C = A · W for row-major A and C of `rows` rows; the caller sets bias and accumulation.
Gemm forward_product(const PackedWeight& weight, const float* a, std::int64_t rows, float* c);
Gemm backward_product(const PackedWeight& weight, const float* a, std::int64_t rows, float* c);

}  // namespace hone::kernels
