#include "kernels/norm/norm_cpu.h"

#include <math.h>

#include "kernels/norm/row.h"

namespace hone::kernels::HONE_ISA {

void rms_norm_rows(const float* x, const float* residual, const float* weight, float weight_offset, float eps,
                   int64_t rows, int64_t width, float* sum, float* out, float* rstd) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* row = x + t * width;
    Floats squares[row_chains] = {};
    if (residual != nullptr) {
      const float* more = residual + t * width;
      float* added = sum + t * width;
      over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
        const Floats value = load_part(row + i, count) + load_part(more + i, count);
        store_part(added + i, value, count);
        squares[chain] += value * value;
      });
      row = added;
    } else {
      over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
        const Floats value = load_part(row + i, count);
        squares[chain] += value * value;
      });
    }
    const float inverse = 1.0F / sqrtf(total(squares) / static_cast<float>(width) + eps);
    rstd[t] = inverse;
    float* normed = out + t * width;
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      const Floats scale = load_part(weight + i, count) + weight_offset;
      store_part(normed + i, load_part(row + i, count) * inverse * scale, count);
    });
  }
}

void rms_norm_backward_rows(const float* dout, const float* dsum_extra, const float* sum, const float* rstd,
                            const float* weight, float weight_offset, int64_t rows, int64_t width, float* dsum,
                            float* dweight) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* grad = dout + t * width;
    const float* value = sum + t * width;
    const float* extra = dsum_extra == nullptr ? nullptr : dsum_extra + t * width;
    float* result = dsum + t * width;
    const float inverse = rstd[t];
    Floats products[row_chains] = {};
    over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
      const Floats scale = load_part(weight + i, count) + weight_offset;
      products[chain] += load_part(grad + i, count) * scale * load_part(value + i, count);
    });
    const float shared = total(products) * inverse * inverse * inverse / static_cast<float>(width);
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      const Floats g = load_part(grad + i, count);
      const Floats v = load_part(value + i, count);
      const Floats scale = load_part(weight + i, count) + weight_offset;
      Floats d = g * scale * inverse - v * shared;
      if (extra != nullptr) d += load_part(extra + i, count);
      store_part(result + i, d, count);
      if (dweight != nullptr) store_part(dweight + i, load_part(dweight + i, count) + g * v * inverse, count);
    });
  }
}

}  // namespace hone::kernels::HONE_ISA
