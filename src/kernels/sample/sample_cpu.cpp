#include "kernels/sample/sample_cpu.h"

#include <math.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

Floats masses(const float* logits, int64_t count, float inverse_temperature, float log_sum_exp) {
  const Floats x = count == vector_lanes ? load_floats(logits) : load_some(logits, count, -INFINITY);
  return exp_floats(x * inverse_temperature - log_sum_exp);
}

}  // namespace

void sample_peaks(const float* logits, int64_t count, float* peak) {
  for (int64_t start = 0; start < count; start += sample_block) {
    const int64_t end = smaller(start + sample_block, count);
    Floats best = broadcast(-INFINITY);
    for (int64_t i = start; i < end; i += vector_lanes) {
      const Floats x = i + vector_lanes <= end ? load_floats(logits + i) : load_some(logits + i, end - i, -INFINITY);
      best = x > best ? x : best;
    }
    float largest = best[0];
    for (int64_t lane = 1; lane < vector_lanes; ++lane) largest = best[lane] > largest ? best[lane] : largest;
    peak[start / sample_block] = largest;
  }
}

void sample_masses(const float* logits, int64_t count, float inverse_temperature, float log_sum_exp, float* mass) {
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes) {
    store_floats(mass + i, masses(logits + i, vector_lanes, inverse_temperature, log_sum_exp));
  }
  if (i < count) store_some(mass + i, masses(logits + i, count - i, inverse_temperature, log_sum_exp), count - i);
}

void sample_block_masses(const float* logits, int64_t count, float inverse_temperature, float log_sum_exp,
                         float* mass) {
  for (int64_t start = 0; start < count; start += sample_block) {
    const int64_t end = smaller(start + sample_block, count);
    Floats sum = {};
    for (int64_t i = start; i < end; i += vector_lanes) {
      sum += masses(logits + i, smaller(vector_lanes, end - i), inverse_temperature, log_sum_exp);
    }
    mass[start / sample_block] = sum_lanes(sum);
  }
}

int64_t sample_filter(const float* logits, const float* peak, int64_t count, float threshold, int32_t* id) {
  int64_t found = 0;
  for (int64_t start = 0; start < count; start += sample_block) {
    if (peak[start / sample_block] < threshold) continue;
    const int64_t end = smaller(start + sample_block, count);
    for (int64_t i = start; i < end; ++i) {
      id[found] = static_cast<int32_t>(i);
      found += logits[i] >= threshold ? 1 : 0;
    }
  }
  return found;
}

}  // namespace hone::kernels::HONE_ISA
