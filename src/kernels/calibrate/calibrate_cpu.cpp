#include "kernels/calibrate/calibrate_cpu.h"

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

double peak_float32(int64_t steps) {
  constexpr int64_t chains = 12;
  Floats sum[chains];
  for (int64_t c = 0; c < chains; ++c) {
    sum[c] = broadcast(static_cast<float>(c));
    asm volatile("" : "+x"(sum[c]));  // unknown and distinct to the compiler
  }
  Floats a = broadcast(0.5F);
  Floats b = broadcast(1e-3F);
  asm volatile("" : "+x"(a), "+x"(b));
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 12
    for (int64_t c = 0; c < chains; ++c) sum[c] = sum[c] * a + b;
  }
  for (int64_t c = 0; c < chains; ++c) asm volatile("" : : "x"(sum[c]));
  return 2.0 * static_cast<double>(steps * chains * vector_lanes);
}

float read_memory(const float* from, int64_t count) {
  Floats sum[4] = {};
  for (int64_t i = 0; i + 4 * vector_lanes <= count; i += 4 * vector_lanes) {
    for (int64_t c = 0; c < 4; ++c) sum[c] += load_floats(from + i + c * vector_lanes);
  }
  return sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

void copy_memory(float* __restrict to, const float* __restrict from, int64_t count) {
  for (int64_t i = 0; i + vector_lanes <= count; i += vector_lanes) store_floats(to + i, load_floats(from + i));
}

void triad_memory(float* __restrict to, const float* __restrict a, const float* __restrict b, float factor,
                  int64_t count) {
  for (int64_t i = 0; i + vector_lanes <= count; i += vector_lanes) {
    store_floats(to + i, load_floats(a + i) * factor + load_floats(b + i));
  }
}

}  // namespace hone::kernels::HONE_ISA
