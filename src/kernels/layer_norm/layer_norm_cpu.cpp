#include "kernels/layer_norm/layer_norm_cpu.h"

#include <math.h>

#include "kernels/norm/row.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// Mean of a row that is x, or x + residual, which it then stores.
float row_mean(const float* x, const float* residual, int64_t width, float* sum) {
  Floats sums[row_chains] = {};
  over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
    Floats value = load_part(x + i, count);
    if (residual != nullptr) {
      value += load_part(residual + i, count);
      store_part(sum + i, value, count);
    }
    sums[chain] += value;
  });
  return total(sums) / static_cast<float>(width);
}

/// Mean of (row - mean)²: in a pass of its own, since mean(row²) - mean² would cancel.
float row_variance(const float* row, float mean, int64_t width) {
  Floats squares[row_chains] = {};
  over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
    const Floats centred = (count == vector_lanes ? load_floats(row + i) : load_some(row + i, count, mean)) - mean;
    squares[chain] += centred * centred;
  });
  return total(squares) / static_cast<float>(width);
}

}  // namespace

void layer_norm_rows(const float* x, const float* residual, const float* weight, const float* bias, float eps,
                     int64_t rows, int64_t width, float* sum, float* out, float* mean, float* rstd) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* row = x + t * width;
    float* added = residual == nullptr ? nullptr : sum + t * width;
    const float centre = row_mean(row, residual == nullptr ? nullptr : residual + t * width, width, added);
    if (added != nullptr) row = added;
    const float inverse = 1.0F / sqrtf(row_variance(row, centre, width) + eps);
    mean[t] = centre;
    rstd[t] = inverse;
    float* normed = out + t * width;
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      Floats value = (load_part(row + i, count) - centre) * inverse * load_part(weight + i, count);
      if (bias != nullptr) value += load_part(bias + i, count);
      store_part(normed + i, value, count);
    });
  }
}

// With h = (sum - mean) · rstd and g = dout · weight: dsum = rstd · (g - mean(g) - h · mean(g · h)).
void layer_norm_backward_rows(const LayerNormRows& in, int64_t rows, int64_t width, float* dsum, float* dweight,
                              float* dbias) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* grad = in.dout + t * width;
    const float* value = in.sum + t * width;
    const float* extra = in.dsum_extra == nullptr ? nullptr : in.dsum_extra + t * width;
    float* result = dsum + t * width;
    const float centre = in.mean[t];
    const float inverse = in.rstd[t];
    Floats sums[row_chains] = {};
    Floats products[row_chains] = {};
    over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
      const Floats g = load_part(grad + i, count) * load_part(in.weight + i, count);
      sums[chain] += g;
      products[chain] += g * (load_part(value + i, count) - centre);
    });
    const float mean_g = total(sums) / static_cast<float>(width);
    const float mean_gh = total(products) * inverse / static_cast<float>(width);
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      const Floats d = load_part(grad + i, count);
      const Floats h = (load_part(value + i, count) - centre) * inverse;
      Floats change = (d * load_part(in.weight + i, count) - mean_g - h * mean_gh) * inverse;
      if (extra != nullptr) change += load_part(extra + i, count);
      store_part(result + i, change, count);
      if (dweight != nullptr) store_part(dweight + i, load_part(dweight + i, count) + d * h, count);
      if (dbias != nullptr) store_part(dbias + i, load_part(dbias + i, count) + d, count);
    });
  }
}

}  // namespace hone::kernels::HONE_ISA
