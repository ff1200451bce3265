#pragma once

/// How float32 rows become bytes (see int8_cpu.h). Included by the int8 sources only; in an unnamed namespace, so that
/// nothing compiled for a wide instruction set is shared with other files.

#include <string.h>

#include "kernels/linear/int8_cpu.h"
#include "kernels/vector.h"

namespace hone::kernels {
namespace {

typedef int8_t Bytes __attribute__((vector_size(HONE_VECTOR_BYTES / 4)));

/// a · b, rounded: never fused with an addition that follows, which some instruction sets lack.
Floats rounded_product(Floats a, Floats b) {
  Floats product = a * b;
  asm("" : "+v"(product));
  return product;
}

/// How a row is divided: x · inverse lies in [-127, 127], integer · scale is x again.
struct Step {
  float scale;
  float inverse;
};

Step quantization_step(const float* row, int64_t depth) {
  constexpr int32_t infinity = 0x7f800000;
  Ints largest[2] = {};
  const auto widen = [](Ints& best, Floats values) {
    const Ints bits = reinterpret_cast<Ints>(values) & 0x7fffffff;  // ordered as the magnitudes are, NaN last
    best = bits > best ? bits : best;
  };
  int64_t k = 0;
  for (; k + 2 * vector_lanes <= depth; k += 2 * vector_lanes) {
    widen(largest[0], load_floats(row + k));
    widen(largest[1], load_floats(row + k + vector_lanes));
  }
  for (; k < depth; k += vector_lanes) {
    const int64_t left = depth - k;
    widen(largest[0], left < vector_lanes ? load_some(row + k, left, 0.0F) : load_floats(row + k));
  }
  int32_t bits = 0;
  for (int64_t lane = 0; lane < vector_lanes; ++lane) {
    for (const Ints& best : largest) bits = best[lane] > bits ? best[lane] : bits;
  }
  if (bits >= infinity) return {__builtin_nanf(""), 0};
  float magnitude;
  memcpy(&magnitude, &bits, 4);
  if (magnitude < 1e-30F) return {0, 0};
  return {magnitude / 127.0F, 127.0F / magnitude};
}

/// Values to the nearest integers, ties to even.
Ints quantize(Floats values, float inverse) {
  const float round_to_integer = 12582912.0F;  // 1.5 · 2^23
  const Floats shifted = rounded_product(values, broadcast(inverse)) + round_to_integer;
  return reinterpret_cast<Ints>(shifted) - reinterpret_cast<Ints>(broadcast(round_to_integer));
}

/// Bytes [0, count) of a row, `bias` added to each; writes whole vectors, `bias` beyond the row's end. Returns the sum of
/// the integers.
int32_t quantize_row(const float* row, int64_t count, float inverse, int32_t bias, void* bytes) {
  int8_t* out = static_cast<int8_t*>(bytes);
  Ints sums = {};
  for (int64_t k = 0; k < count; k += vector_lanes) {
    const int64_t left = count - k;
    const Ints q = quantize(left < vector_lanes ? load_some(row + k, left, 0.0F) : load_floats(row + k), inverse);
    sums += q;
    const Bytes narrow = __builtin_convertvector(q + bias, Bytes);
    memcpy(out + k, &narrow, sizeof narrow);
  }
  int32_t sum = 0;
  for (int64_t lane = 0; lane < vector_lanes; ++lane) sum += sums[lane];
  return sum;
}

/// One row into four bytes a word.
void quantize_row(const float* x, int64_t depth, int64_t row, const Int8Rows& rows) {
  const Step step = quantization_step(x + row * depth, depth);
  uint32_t* words = rows.words + row * rows.pitch;
  rows.scale[row] = step.scale;
  if (step.inverse == 0) {
    memset(words, 0, static_cast<size_t>((depth + 15) / 16 * 16));
    rows.offset[row] = 0;
  } else {
    rows.offset[row] = 128 * quantize_row(x + row * depth, depth, step.inverse, 0, words);
  }
}

}  // namespace
}  // namespace hone::kernels
