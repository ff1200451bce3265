#pragma once

/// Vectors for `*_cpu.cpp` files: as wide as the instruction set that the file is compiled for. Everything here is
/// static, so that no function compiled for a wide set can be linked into code for a narrow one. Included by
/// `*_cpu.cpp` and `*_avx512bf16.cpp` only.

#include <stdint.h>

#if defined(__AVX512F__)
#define HONE_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define HONE_VECTOR_BYTES 32
#else
#define HONE_VECTOR_BYTES 16
#endif

/// Floats and 32-bit integers of one register; the `Any` twins may sit at any address and alias any type.
typedef float Floats __attribute__((vector_size(HONE_VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(HONE_VECTOR_BYTES)));
typedef float AnyFloats __attribute__((vector_size(HONE_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t AnyInts __attribute__((vector_size(HONE_VECTOR_BYTES), aligned(4), may_alias));

static constexpr int64_t vector_lanes = HONE_VECTOR_BYTES / 4;

static inline Floats load_floats(const void* from) { return *static_cast<const AnyFloats*>(from); }
static inline void store_floats(void* to, Floats value) { *static_cast<AnyFloats*>(to) = value; }
static inline Ints load_ints(const void* from) { return *static_cast<const AnyInts*>(from); }
static inline void store_ints(void* to, Ints value) { *static_cast<AnyInts*>(to) = value; }

static inline Floats broadcast(float value) {
  return value - Floats{};  // x - 0 keeps every x, also -0
}

/// The first `count` floats, `fill` in the other lanes.
static inline Floats load_some(const float* from, int64_t count, float fill) {
  Floats value = broadcast(fill);
  for (int64_t i = 0; i < count; ++i) value[i] = from[i];
  return value;
}

static inline void store_some(float* to, Floats value, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = value[i];
}

/// 0, 1, 2, … in the lanes.
static inline Ints lane_numbers() {
#if HONE_VECTOR_BYTES == 64
  return Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif HONE_VECTOR_BYTES == 32
  return Ints{0, 1, 2, 3, 4, 5, 6, 7};
#else
  return Ints{0, 1, 2, 3};
#endif
}

/// Lane i of the result is lane i + half, counted round.
static inline Floats rotate_lanes(Floats value, int32_t half) {
  return __builtin_shuffle(value, lane_numbers() + half);
}

/// Lanes added pairwise: lane i with lane i + half, until one is left.
static inline float sum_lanes(Floats value) {
#if HONE_VECTOR_BYTES == 64
  value += rotate_lanes(value, 8);
#endif
#if HONE_VECTOR_BYTES >= 32
  value += rotate_lanes(value, 4);
#endif
  value += rotate_lanes(value, 2);
  value += rotate_lanes(value, 1);
  return value[0];
}

/// With Half = vector_lanes / 2: lane i of the result is value[i] with its lanes combined in the order of sum_lanes.
/// value[vector_lanes] is overwritten.
template <int Half, class Combine>
static inline Floats combine_lanes(Floats* value, Combine combine) {
  // Lanes of two vectors put end to end: the first half of each group of 2 · Half lanes.
  const Ints first = ((lane_numbers() & ~(Half - 1)) << 1) | (lane_numbers() & (Half - 1));
  for (int i = 0; i < Half; ++i) {
    const Floats a = value[2 * i];
    const Floats b = value[2 * i + 1];
    value[i] = combine(__builtin_shuffle(a, b, first), __builtin_shuffle(a, b, first + Half));
  }
  if constexpr (Half > 1) return combine_lanes<Half / 2>(value, combine);
  return value[0];
}

/// exp(x) for x in [-87.33, 88.37], other finite x give nonsense. NaN stays NaN.
static inline Floats exp_in_range(Floats x) {
  const float round_to_integer = 12582912.0F;  // 1.5 · 2^23
  const Floats shifted = x * 1.44269504F + round_to_integer;
  const Floats n = shifted - round_to_integer;
  Floats r = x - n * 0.693359375F;
  r = r + n * 2.12194440e-4F;  // ln 2 in two parts (Cephes expf)
  Floats p = broadcast(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Ints exponent = reinterpret_cast<Ints>(shifted) << 23;  // n sits in the low bits of `shifted`
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
}

static constexpr float lowest_exponent = -87.33654F;

/// exp(x) within 2 ulp for x ≤ 88; 0 below -87.3 (no denormals), saturated above 88.3. NaN stays NaN.
static inline Floats exp_floats(Floats x) {
  const Floats lower = broadcast(lowest_exponent);
  const Floats upper = broadcast(88.37626F);
  Floats clamped = lower > x ? lower : x;  // in the operand order that is one instruction
  clamped = upper < clamped ? upper : clamped;
  return x < lower ? Floats{} : exp_in_range(clamped);
}

/// exp_floats(x) for x ≤ 88 or NaN, with the same bits.
static inline Floats exp_of_falls(Floats x) { return x < broadcast(lowest_exponent) ? Floats{} : exp_in_range(x); }
