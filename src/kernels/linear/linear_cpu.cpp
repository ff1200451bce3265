#include "kernels/linear/linear_cpu.h"

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

void add_column_sums(const float* x, int64_t rows, int64_t stride, int64_t begin, int64_t end, float* sum_N) {
  constexpr int64_t block = 4 * vector_lanes;
  int64_t n = begin;
  for (; n + block <= end; n += block) {
    Floats sum[4];
    for (int64_t i = 0; i < 4; ++i) sum[i] = load_floats(sum_N + n + i * vector_lanes);
    for (int64_t t = 0; t < rows; ++t) {
      for (int64_t i = 0; i < 4; ++i) sum[i] += load_floats(x + t * stride + n + i * vector_lanes);
    }
    for (int64_t i = 0; i < 4; ++i) store_floats(sum_N + n + i * vector_lanes, sum[i]);
  }
  for (; n < end; ++n) {
    float sum = sum_N[n];
    for (int64_t t = 0; t < rows; ++t) sum += x[t * stride + n];
    sum_N[n] = sum;
  }
}

}  // namespace hone::kernels::HONE_ISA
