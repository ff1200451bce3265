#pragma once

#include <cstdint>

#include "kernels/linear/gemm_cpu.h"
#include "kernels/linear/linear.h"
#include "kernels/pages.h"
#include "kernels/scratch.h"

namespace hone::kernels {

/// Panels of one operand, in words of `compute` (see gemm_cpu.h and int8_cpu.h).
std::int64_t panel_words(std::int64_t columns, std::int64_t depth, Compute compute);

/// C cut into chunks of rows × groups of panels.
struct Cut {
  std::int64_t rows = 0;
  std::int64_t panels = 0;
  std::int64_t chunks = 0;
  std::int64_t groups = 0;

  std::int64_t count() const { return chunks * groups; }
  GemmPart part(std::int64_t index) const;
};

/// Panels are shared out only as far as the threads need it.
Cut cut_product(std::int64_t rows, std::int64_t columns, std::int64_t row_chunk);

/// Whether a product of this size is worth a parallel region, which costs about 2 µs.
bool worth_a_region(std::int64_t rows, std::int64_t columns, std::int64_t depth);

/// Computes all of `gemm.c` with the team's threads. Not for int8.
void run_gemm(const Gemm& gemm, Compute compute);

/// What PackedWeight holds. Shapes: weight_NK is [out_features, in_features].
struct PackedWeight::Storage {
  std::int64_t out_features = 0;
  std::int64_t in_features = 0;
  Compute compute = Compute::float32;
  bool trainable = false;
  WeightReads reads;
  bool fresh = false;    ///< refreshed at least once
  Pages forward;         ///< panels over out_features, words along in_features
  Pages scales;          ///< int8: one float for each column of the panels
  Pages backward;        ///< bfloat16 and trainable: panels over in_features, words along out_features
  at::Tensor weight_NK;  ///< float32 and trainable: read by backward
  at::Tensor rows_NK;    ///< float32 or bfloat16: where rows are read and the panels have not their very values
};

/// C = A · Wᵀ + bias for row-major A and C of `rows` rows, where A is still to be set; `bias` may be null. Not for int8.
Gemm forward_product(const PackedWeight& weight, std::int64_t rows, const float* bias, float* c);

/// The same, computed.
void multiply_forward(const PackedWeight& weight, const float* a, std::int64_t rows, const float* bias, float* c);

/// C = A · W, likewise; `a` may be null where A in bfloat16 is still to be set.
Gemm backward_product(const PackedWeight& weight, const float* a, std::int64_t rows, float* c);

}  // namespace hone::kernels
