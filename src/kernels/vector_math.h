#pragma once

/// Functions of vectors beyond exp_floats. Everything here is static, as in vector.h; included by `*_cpu.cpp` only.

#include "kernels/vector.h"

static inline Floats magnitude(Floats x) { return x < 0.0F ? -x : x; }

/// 1 / (1 + exp(-x)); relative error below 5e-7 for |x| ≤ 16.
static inline Floats sigmoid_floats(Floats x) { return 1.0F / (1.0F + exp_floats(-x)); }

/// tanh(x), relative error below 3e-7. NaN stays NaN.
static inline Floats tanh_floats(Floats x) {
  const Floats size = magnitude(x);
  const Floats square = x * x;
  Floats p = broadcast(-5.70498872745e-3F);  // Cephes tanhf
  p = p * square + 2.06390887954e-2F;
  p = p * square - 5.37397155531e-2F;
  p = p * square + 1.33314422036e-1F;
  p = p * square - 3.33332819422e-1F;
  const Floats near = p * square * x + x;
  const Floats far = 1.0F - 2.0F / (exp_floats(size + size) + 1.0F);
  return size < 0.625F ? near : x < 0.0F ? -far : far;
}

/// The standard normal distribution.
struct Normal {
  Floats cumulative;  ///< Φ(x), relative error below 1e-6 in the lower tail too
  Floats density;     ///< exp(-x²/2) / √(2π)
};

static inline Normal normal_floats(Floats x) {
  const Floats most = broadcast(14.0F);  // Φ(-14) is no float any more
  Floats size = magnitude(x);
  size = size > most ? most : size;
  // exp(-size²/2) without the rounding error of the square: `high` has 12 bits, so its square is exact.
  const Floats high = reinterpret_cast<Floats>(reinterpret_cast<Ints>(size) & static_cast<int32_t>(0xfffff000U));
  const Floats rest = (size - high) * (size + high) * -0.5F;
  const Floats correction = ((rest * 0.166666667F + 0.5F) * rest + 1.0F) * rest + 1.0F;
  const Floats bell = exp_floats(high * high * -0.5F) * correction;
  // Φ(-size) / bell as a polynomial in t, fitted for the smallest relative error (1.5e-7) over [0, 14].
  const Floats t = 1.0F / (size * 0.3F + 1.0F);
  Floats p = broadcast(3.567475826e-02F);
  p = p * t - 1.572030038e-01F;
  p = p * t + 2.063533664e-01F;
  p = p * t - 5.368351191e-02F;
  p = p * t + 1.285615563e-01F;
  p = p * t + 9.991351515e-02F;
  p = p * t + 1.207539514e-01F;
  p = p * t + 1.196293011e-01F;
  const Floats tail = p * t * bell;
  return {x < 0.0F ? tail : 1.0F - tail, bell * 0.398942280F};
}
