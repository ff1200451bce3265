#include "kernels/norm/norm_cpu.h"

#include <math.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

constexpr int64_t chains = 4;  // hides the latency of an addition

/// Calls body(offset, count, chain): whole vectors first, `count` of them lanes wide but for the last.
template <class Body>
void over_row(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + chains * vector_lanes <= width; i += chains * vector_lanes) {
    for (int64_t c = 0; c < chains; ++c) body(i + c * vector_lanes, vector_lanes, c);
  }
  for (; i + vector_lanes <= width; i += vector_lanes) body(i, vector_lanes, int64_t{0});
  if (i < width) body(i, width - i, int64_t{0});
}

Floats load(const float* from, int64_t count) {
  return count == vector_lanes ? load_floats(from) : load_some(from, count, 0.0F);
}

void store(float* to, Floats value, int64_t count) {
  if (count == vector_lanes) {
    store_floats(to, value);
  } else {
    store_some(to, value, count);
  }
}

float total(const Floats* part) { return sum_lanes((part[0] + part[1]) + (part[2] + part[3])); }

}  // namespace

void rms_norm_rows(const float* x, const float* residual, const float* weight, float eps, int64_t rows, int64_t width,
                   float* sum, float* out, float* rstd) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* row = x + t * width;
    Floats squares[chains] = {};
    if (residual != nullptr) {
      const float* more = residual + t * width;
      float* added = sum + t * width;
      over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
        const Floats value = load(row + i, count) + load(more + i, count);
        store(added + i, value, count);
        squares[chain] += value * value;
      });
      row = added;
    } else {
      over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
        const Floats value = load(row + i, count);
        squares[chain] += value * value;
      });
    }
    const float inverse = 1.0F / sqrtf(total(squares) / static_cast<float>(width) + eps);
    rstd[t] = inverse;
    float* normed = out + t * width;
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      store(normed + i, load(row + i, count) * inverse * load(weight + i, count), count);
    });
  }
}

void rms_norm_backward_rows(const float* dout, const float* dsum_extra, const float* sum, const float* rstd,
                            const float* weight, int64_t rows, int64_t width, float* dsum, float* dweight) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* grad = dout + t * width;
    const float* value = sum + t * width;
    const float* extra = dsum_extra == nullptr ? nullptr : dsum_extra + t * width;
    float* result = dsum + t * width;
    const float inverse = rstd[t];
    Floats products[chains] = {};
    over_row(width, [&](int64_t i, int64_t count, int64_t chain) {
      products[chain] += load(grad + i, count) * load(weight + i, count) * load(value + i, count);
    });
    const float shared = total(products) * inverse * inverse * inverse / static_cast<float>(width);
    over_row(width, [&](int64_t i, int64_t count, int64_t) {
      const Floats g = load(grad + i, count);
      const Floats v = load(value + i, count);
      Floats d = g * load(weight + i, count) * inverse - v * shared;
      if (extra != nullptr) d += load(extra + i, count);
      store(result + i, d, count);
      if (dweight != nullptr) store(dweight + i, load(dweight + i, count) + g * v * inverse, count);
    });
  }
}

}  // namespace hone::kernels::HONE_ISA
