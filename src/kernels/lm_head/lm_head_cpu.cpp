#include "kernels/lm_head/lm_head_cpu.h"

#include <math.h>

#include "kernels/vector_math.h"

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

/// d logit / d logit before the cap.
Floats cap_slope(Floats logits, float inverse_cap) {
  const Floats tanh = logits * inverse_cap;
  return 1.0F - tanh * tanh;
}

/// Replaces each logit by finish(logits, gradient(logits)).
template <class Finish>
void replace_by_gradient(float* logits, int64_t vocabulary, const LogitsGradient& row, const Finish& finish) {
  int64_t i = 0;
  for (; i + vector_lanes <= vocabulary; i += vector_lanes) {
    const Floats at = load_floats(logits + i);
    store_floats(logits + i, finish(at, gradient(at, row)));
  }
  if (i < vocabulary) {
    const int64_t left = vocabulary - i;
    const Floats at = load_some(logits + i, left, -INFINITY);
    store_some(logits + i, finish(at, gradient(at, row)), left);
  }
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
  const float target = row.inverse_temperature * row.dlogprob;
  if (row.soft_cap == 0) {
    replace_by_gradient(logits, vocabulary, row, [](Floats, Floats gradient) { return gradient; });
    logits[row.target] += target;
    return;
  }
  const float inverse_cap = 1.0F / row.soft_cap;
  const float target_slope = cap_slope(broadcast(logits[row.target]), inverse_cap)[0];
  replace_by_gradient(logits, vocabulary, row,
                      [=](Floats at, Floats gradient) { return gradient * cap_slope(at, inverse_cap); });
  logits[row.target] += target * target_slope;
}

void cap_logits(float* logits, int64_t count, float soft_cap) {
  const float inverse_cap = 1.0F / soft_cap;
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes) {
    store_floats(logits + i, tanh_floats(load_floats(logits + i) * inverse_cap) * soft_cap);
  }
  if (i < count) {
    const Floats last = load_some(logits + i, count - i, 0.0F);
    store_some(logits + i, tanh_floats(last * inverse_cap) * soft_cap, count - i);
  }
}

}  // namespace hone::kernels::HONE_ISA
