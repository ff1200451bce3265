#include "kernels/lm_head/row_cpu.h"

#include <math.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

constexpr int64_t chains = 4;
constexpr int64_t stride = chains * vector_lanes;
constexpr int64_t block = 32 * stride;

float largest(const float* row, int64_t count) {
  Floats best[chains];
  for (int64_t c = 0; c < chains; ++c) best[c] = broadcast(-INFINITY);
  int64_t i = 0;
  for (; i + stride <= count; i += stride) {
    for (int64_t c = 0; c < chains; ++c) {
      const Floats x = load_floats(row + i + c * vector_lanes);
      best[c] = x > best[c] ? x : best[c];
    }
  }
  for (int64_t c = 1; c < chains; ++c) best[0] = best[c] > best[0] ? best[c] : best[0];
  float result = -INFINITY;
  for (int64_t lane = 0; lane < vector_lanes; ++lane) result = best[0][lane] > result ? best[0][lane] : result;
  for (; i < count; ++i) result = row[i] > result ? row[i] : result;
  return result;
}

}  // namespace

float row_log_sum_exp(const float* logits, int64_t vocabulary, float inverse_temperature) {
  // Scaling by a positive factor keeps the order, so the largest is scaled once.
  const float peak = largest(logits, vocabulary) * inverse_temperature;
  Floats total = {};
  int64_t i = 0;
  while (i + stride <= vocabulary) {
    // Partial sums of a block at a time: rounding errors grow with the chain, not with the vocabulary.
    const int64_t end = i + block < vocabulary ? i + block : vocabulary;
    Floats sum[chains] = {};
    for (; i + stride <= end; i += stride) {
      for (int64_t c = 0; c < chains; ++c) {
        sum[c] += exp_floats(load_floats(logits + i + c * vector_lanes) * inverse_temperature - peak);
      }
    }
    total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  for (; i < vocabulary; i += vector_lanes) {
    const int64_t left = vocabulary - i < vector_lanes ? vocabulary - i : vector_lanes;
    total += exp_floats(load_some(logits + i, left, -INFINITY) * inverse_temperature - peak);
  }
  return peak + logf(sum_lanes(total));
}

float row_logprob(const float* logits, int64_t token, float inverse_temperature, float log_sum_exp) {
  return logits[token] * inverse_temperature - log_sum_exp;
}

}  // namespace hone::kernels::HONE_ISA
