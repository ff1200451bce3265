#pragma once

/// bfloat16 in vectors (see vector.h): the upper half of a float32. Everything here is static, as there; included by
/// `*_cpu.cpp` and `*_avx512bf16.cpp` only.

#include "kernels/vector.h"

typedef uint16_t Halves __attribute__((vector_size(HONE_VECTOR_BYTES / 2)));
typedef uint16_t AnyHalves __attribute__((vector_size(HONE_VECTOR_BYTES / 2), aligned(2), may_alias));

/// One bfloat16 in the low half of each lane, zero above it.
static inline Ints load_halves(const uint16_t* from) {
  return __builtin_convertvector(*reinterpret_cast<const AnyHalves*>(from), Ints);
}

/// The upper half of each float32, rounded to nearest, ties to even, in the upper 16 bits; NaN stays NaN.
static inline Ints round_to_bfloat16(Ints bits) {
  const Ints rounded = bits + (0x7fff + ((bits >> 16) & 1));
  const Ints is_nan = (bits & 0x7fffffff) > 0x7f800000;
  const Ints kept = is_nan ? (bits | 0x00400000) : rounded;
  return kept & static_cast<int32_t>(0xffff0000U);
}
