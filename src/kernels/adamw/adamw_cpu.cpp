#include "kernels/adamw/adamw_cpu.h"

#include <immintrin.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

// Not sqrtf in a loop: it may set errno, so the compiler would take the roots one by one.
static inline Floats root(Floats x) {
#if HONE_VECTOR_BYTES == 64
  return reinterpret_cast<Floats>(_mm512_maskz_sqrt_ps(0xffff, reinterpret_cast<__m512>(x)));
#elif HONE_VECTOR_BYTES == 32
  return reinterpret_cast<Floats>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
#else
  return reinterpret_cast<Floats>(_mm_sqrt_ps(reinterpret_cast<__m128>(x)));
#endif
}

struct Moments {
  Floats weight, first, second;
};

static inline Moments stepped(Moments at, Floats grad, const AdamWFactors& f) {
  const Floats g = grad * f.grad_scale;
  const Floats m = at.first + f.share1 * (g - at.first);
  const Floats v = f.beta2 * at.second + f.share2 * (g * g);
  return {at.weight * f.decay - f.step_size * (m / (root(v) * f.correction + f.eps)), m, v};
}

void adamw_range(float* weight, const float* grad, float* first, float* second, int64_t count,
                 const AdamWFactors& factors) {
  const AdamWFactors f = factors;
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes) {
    const Moments next = stepped({load_floats(weight + i), load_floats(first + i), load_floats(second + i)},
                                 load_floats(grad + i), f);
    store_floats(weight + i, next.weight);
    store_floats(first + i, next.first);
    store_floats(second + i, next.second);
  }
  const int64_t rest = count - i;
  const Moments next = stepped({load_some(weight + i, rest, 0), load_some(first + i, rest, 0), load_some(second + i, rest, 0)},
                               load_some(grad + i, rest, 0), f);
  store_some(weight + i, next.weight, rest);
  store_some(first + i, next.first, rest);
  store_some(second + i, next.second, rest);
}

double sum_of_squares(const float* x, int64_t count) {
  constexpr int64_t lanes = 32;
  double sum[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const double value = static_cast<double>(x[i + lane]);
      sum[lane] += value * value;
    }
  }
  for (int64_t lane = 0; i < count; ++i, ++lane) sum[lane] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    for (int64_t lane = 0; lane < half; ++lane) sum[lane] += sum[lane + half];
  }
  return sum[0];
}

}  // namespace hone::kernels::HONE_ISA
