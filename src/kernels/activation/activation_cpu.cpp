#include "kernels/activation/activation_cpu.h"

#include "kernels/activation/activation_kernel.h"
#include "kernels/bfloat16.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// Results in bfloat16, rounded with integer arithmetic.
struct Bfloat16Results {
  using Element = uint16_t;
  static Halves rounded(Floats x) {
    const Ints bits = round_to_bfloat16(reinterpret_cast<Ints>(x));
    return __builtin_convertvector((bits >> 16) & 0xffff, Halves);
  }
  static void store(uint16_t* to, Floats x) { *reinterpret_cast<AnyHalves*>(to) = rounded(x); }
  static void store_first(uint16_t* to, Floats x, int64_t count) {
    const Halves halves = rounded(x);
    for (int64_t i = 0; i < count; ++i) to[i] = halves[i];
  }
};

}  // namespace

void activation_values(Activation activation, const float* x, int64_t count, float* out) {
  with_curve(activation, [&](auto curve) {
    over_vectors<Float32Results>(
        count, [&](int64_t i, auto load, auto store) { store(out + i, curve.value(load(x + i))); });
  });
}

void activation_gradients(Activation activation, const float* dout, const float* x, int64_t count, float* dx) {
  with_curve(activation, [&](auto curve) {
    over_vectors<Float32Results>(count, [&](int64_t i, auto load, auto store) {
      store(dx + i, load(dout + i) * curve.curve(load(x + i)).slope);
    });
  });
}

void gated_rows(Activation activation, const float* gate_up, int64_t rows, int64_t width, float* out) {
  gated_forward_rows<Float32Results>(activation, gate_up, rows, width, out);
}

void gated_rows_bfloat16(Activation activation, const float* gate_up, int64_t rows, int64_t width, uint16_t* out) {
  gated_forward_rows<Bfloat16Results>(activation, gate_up, rows, width, out);
}

void gated_backward_rows(Activation activation, const float* dout, const float* gate_up, int64_t rows, int64_t width,
                         float* dgate_up, float* out) {
  gated_gradient_rows<Float32Results>(activation, dout, gate_up, rows, width, dgate_up, out);
}

void gated_backward_rows_bfloat16(Activation activation, const float* dout, const float* gate_up, int64_t rows,
                                  int64_t width, uint16_t* dgate_up, uint16_t* out) {
  gated_gradient_rows<Bfloat16Results>(activation, dout, gate_up, rows, width, dgate_up, out);
}

}  // namespace hone::kernels::HONE_ISA
