#include "kernels/adamw/adamw_cpu.h"

#include <math.h>

namespace hone::kernels::HONE_ISA {

void adamw_range(float* __restrict weight, const float* __restrict grad, float* __restrict first,
                 float* __restrict second, int64_t count, const AdamWFactors& factors) {
  const AdamWFactors f = factors;
  for (int64_t i = 0; i < count; ++i) {
    const float g = grad[i] * f.grad_scale;
    const float m = first[i] + f.share1 * (g - first[i]);
    const float v = f.beta2 * second[i] + f.share2 * (g * g);
    first[i] = m;
    second[i] = v;
    weight[i] = weight[i] * f.decay - f.step_size * (m / (sqrtf(v) * f.correction + f.eps));
  }
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
