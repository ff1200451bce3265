#include "kernels/swiglu/swiglu_cpu.h"

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

Floats sigmoid(Floats x) { return 1.0F / (1.0F + exp_floats(-x)); }

Floats forward(Floats gate, Floats up) { return gate * sigmoid(gate) * up; }

struct Gradient {
  Floats gate;
  Floats up;
};

Gradient backward(Floats dout, Floats gate, Floats up) {
  const Floats share = sigmoid(gate);
  const Floats silu = gate * share;
  // d silu / d gate = share · (1 + gate · (1 - share)) = share + silu · (1 - share)
  return {dout * up * (share + silu * (1.0F - share)), dout * silu};
}

}  // namespace

void swiglu_rows(const float* gate_up, int64_t rows, int64_t width, float* out) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* gate = gate_up + t * 2 * width;
    const float* up = gate + width;
    float* row = out + t * width;
    int64_t i = 0;
    for (; i + vector_lanes <= width; i += vector_lanes) {
      store_floats(row + i, forward(load_floats(gate + i), load_floats(up + i)));
    }
    if (i < width) {
      const int64_t left = width - i;
      store_some(row + i, forward(load_some(gate + i, left, 0.0F), load_some(up + i, left, 0.0F)), left);
    }
  }
}

void swiglu_backward_rows(const float* dout, const float* gate_up, int64_t rows, int64_t width, float* dgate_up) {
  for (int64_t t = 0; t < rows; ++t) {
    const float* grad = dout + t * width;
    const float* gate = gate_up + t * 2 * width;
    const float* up = gate + width;
    float* dgate = dgate_up + t * 2 * width;
    float* dup = dgate + width;
    int64_t i = 0;
    for (; i + vector_lanes <= width; i += vector_lanes) {
      const Gradient d = backward(load_floats(grad + i), load_floats(gate + i), load_floats(up + i));
      store_floats(dgate + i, d.gate);
      store_floats(dup + i, d.up);
    }
    if (i < width) {
      const int64_t left = width - i;
      const Gradient d =
          backward(load_some(grad + i, left, 0.0F), load_some(gate + i, left, 0.0F), load_some(up + i, left, 0.0F));
      store_some(dgate + i, d.gate, left);
      store_some(dup + i, d.up, left);
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
