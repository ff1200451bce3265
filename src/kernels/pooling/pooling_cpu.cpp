#include "kernels/pooling/pooling_cpu.h"

#include <string.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

float total_weight(int64_t rows, bool rising) { return static_cast<float>(rising ? rows * (rows + 1) / 2 : rows); }

}  // namespace

void pool_mean(const float* x, int64_t stride, int64_t rows, int64_t columns, bool rising, float* out) {
  memset(out, 0, static_cast<size_t>(columns) * sizeof(float));
  for (int64_t t = 0; t < rows; ++t) {
    const float* row = x + t * stride;
    const float weight = rising ? static_cast<float>(t + 1) : 1.0F;
    int64_t i = 0;
    for (; i + vector_lanes <= columns; i += vector_lanes) {
      store_floats(out + i, load_floats(out + i) + load_floats(row + i) * weight);
    }
    if (i < columns) {
      const int64_t rest = columns - i;
      store_some(out + i, load_some(out + i, rest, 0.0F) + load_some(row + i, rest, 0.0F) * weight, rest);
    }
  }
  const float total = total_weight(rows, rising);
  for (int64_t i = 0; i < columns; ++i) out[i] /= total;
}

void pool_max(const float* x, int64_t stride, int64_t rows, int64_t columns, int32_t first_row, float* out,
              int32_t* row) {
  memcpy(out, x, static_cast<size_t>(columns) * sizeof(float));
  for (int64_t i = 0; i < columns; ++i) row[i] = first_row;
  for (int64_t t = 1; t < rows; ++t) {
    const float* from = x + t * stride;
    const int32_t number = first_row + static_cast<int32_t>(t);
    int64_t i = 0;
    for (; i + vector_lanes <= columns; i += vector_lanes) {
      const Floats value = load_floats(from + i);
      const Floats best = load_floats(out + i);
      const Ints wins = (value > best) | (value != value);
      store_floats(out + i, wins ? value : best);
      store_ints(row + i, wins ? Ints{} + number : load_ints(row + i));
    }
    for (; i < columns; ++i) {
      if (!(from[i] > out[i]) && from[i] == from[i]) continue;
      out[i] = from[i];
      row[i] = number;
    }
  }
}

void pool_mean_backward(const float* dout, int64_t stride, int64_t rows, int64_t columns, bool rising, float* dx) {
  const float total = total_weight(rows, rising);
  for (int64_t t = 0; t < rows; ++t) {
    const float share = (rising ? static_cast<float>(t + 1) : 1.0F) / total;
    for (int64_t i = 0; i < columns; ++i) dx[t * stride + i] = dout[i] * share;
  }
}

}  // namespace hone::kernels::HONE_ISA
