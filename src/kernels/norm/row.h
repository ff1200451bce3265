#pragma once

/// Rows of any width as vectors. Included by `*_cpu.cpp` files only; in an unnamed namespace, so that nothing compiled
/// for a wide instruction set is shared with other files.

#include "kernels/vector.h"

namespace hone::kernels {
namespace {

constexpr int64_t row_chains = 4;  // hides the latency of an addition

/// Calls body(offset, count, chain): whole vectors first, `count` of them lanes wide but for the last.
template <class Body>
void over_row(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + row_chains * vector_lanes <= width; i += row_chains * vector_lanes) {
    for (int64_t c = 0; c < row_chains; ++c) body(i + c * vector_lanes, vector_lanes, c);
  }
  for (; i + vector_lanes <= width; i += vector_lanes) body(i, vector_lanes, int64_t{0});
  if (i < width) body(i, width - i, int64_t{0});
}

/// `count` floats, zeros in the other lanes.
Floats load_part(const float* from, int64_t count) {
  return count == vector_lanes ? load_floats(from) : load_some(from, count, 0.0F);
}

void store_part(float* to, Floats value, int64_t count) {
  if (count == vector_lanes) {
    store_floats(to, value);
  } else {
    store_some(to, value, count);
  }
}

float total(const Floats* part) { return sum_lanes((part[0] + part[1]) + (part[2] + part[3])); }

}  // namespace
}  // namespace hone::kernels
