#include "kernels/lm_head/lm_head_cpu.h"

#include <math.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// p and log p of some scaled logits; where p is 0, log p is replaced by 0 so that p · log p is 0.
struct Probabilities {
  Floats p;
  Floats log_p;
};

Probabilities probabilities(Floats logits, float inverse_temperature, float log_sum_exp) {
  const Floats log_p = logits * inverse_temperature - log_sum_exp;
  const Floats p = exp_floats(log_p);
  return {p, p == Floats{} ? Floats{} : log_p};
}

Floats gradient(Floats logits, const LogitsGradient& row) {
  const Probabilities at = probabilities(logits, row.inverse_temperature, row.log_sum_exp);
  const Floats slope = row.dlogprob + row.dentropy * (at.log_p + row.entropy);
  return at.p * slope * -row.inverse_temperature;
}

}  // namespace

float row_entropy(const float* logits, int64_t vocabulary, float inverse_temperature, float log_sum_exp) {
  constexpr int64_t chains = 2;
  constexpr int64_t stride = chains * vector_lanes;
  constexpr int64_t block = 64 * stride;  // partial sums keep rounding errors small
  Floats total = {};
  int64_t i = 0;
  while (i + stride <= vocabulary) {
    const int64_t end = i + block < vocabulary ? i + block : vocabulary;
    Floats sum[chains] = {};
    for (; i + stride <= end; i += stride) {
      for (int64_t c = 0; c < chains; ++c) {
        const Probabilities at =
            probabilities(load_floats(logits + i + c * vector_lanes), inverse_temperature, log_sum_exp);
        sum[c] += at.p * at.log_p;
      }
    }
    total += sum[0] + sum[1];
  }
  for (; i < vocabulary; i += vector_lanes) {
    const int64_t left = vocabulary - i < vector_lanes ? vocabulary - i : vector_lanes;
    const Probabilities at = probabilities(load_some(logits + i, left, -INFINITY), inverse_temperature, log_sum_exp);
    total += at.p * at.log_p;
  }
  return -sum_lanes(total);
}

void logits_gradient(float* logits, int64_t vocabulary, const LogitsGradient& row) {
  int64_t i = 0;
  for (; i + vector_lanes <= vocabulary; i += vector_lanes) {
    store_floats(logits + i, gradient(load_floats(logits + i), row));
  }
  if (i < vocabulary) {
    const int64_t left = vocabulary - i;
    store_some(logits + i, gradient(load_some(logits + i, left, -INFINITY), row), left);
  }
  logits[row.target] += row.inverse_temperature * row.dlogprob;
}

}  // namespace hone::kernels::HONE_ISA
