#pragma once

/// Curves of activations, and rows of gated ones in one format of results. Included by the activation sources only; in
/// an unnamed namespace, so that nothing compiled for a wide instruction set is shared with other files.

#include "kernels/activation/kind.h"
#include "kernels/vector_math.h"

namespace hone::kernels {
namespace {

struct Curve {
  Floats value;
  Floats slope;
};

struct Silu {
  static Floats value(Floats x) { return x * sigmoid_floats(x); }
  static Curve curve(Floats x) {
    const Floats share = sigmoid_floats(x);
    const Floats silu = x * share;
    return {silu, share + silu * (1.0F - share)};  // share · (1 + x · (1 - share))
  }
};

struct Gelu {
  static Floats value(Floats x) { return x * normal_floats(x).cumulative; }
  static Curve curve(Floats x) {
    const Normal normal = normal_floats(x);
    return {x * normal.cumulative, normal.cumulative + x * normal.density};
  }
};

/// x/2 · (1 + tanh u) = x · sigmoid(2u) with u = √(2/π) · (x + 0.044715 x³).
struct GeluTanh {
  static Floats twice_u(Floats x) { return x * (x * x * 0.0713548163F + 1.59576912F); }
  static Floats value(Floats x) { return x * sigmoid_floats(twice_u(x)); }
  static Curve curve(Floats x) {
    const Floats share = sigmoid_floats(twice_u(x));
    const Floats value = x * share;
    // Beyond ±16 the share is 0 or 1 to the last bit, and squares may overflow.
    const Floats size = magnitude(x);
    const Floats steep = x * x * 0.214064449F + 1.59576912F;
    return {value, size > 16.0F ? share : share + value * (1.0F - share) * steep};
  }
};

struct Relu {
  static Floats value(Floats x) { return x < 0.0F ? Floats{} : x; }
  static Curve curve(Floats x) { return {value(x), x > 0.0F ? broadcast(1.0F) : Floats{}}; }
};

struct Tanh {
  static Floats value(Floats x) { return tanh_floats(x); }
  static Curve curve(Floats x) {
    const Floats value = tanh_floats(x);
    return {value, 1.0F - value * value};
  }
};

template <class Body>
void with_curve(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::silu: return body(Silu());
    case Activation::gelu: return body(Gelu());
    case Activation::gelu_tanh: return body(GeluTanh());
    case Activation::relu: return body(Relu());
    case Activation::tanh: return body(Tanh());
  }
}

/// Results in float32. A format stores vectors, and the first `count` lanes of one.
struct Float32Results {
  using Element = float;
  static void store(float* to, Floats x) { store_floats(to, x); }
  static void store_first(float* to, Floats x, int64_t count) { store_some(to, x, count); }
};

/// Calls body(offset, load, store) for each vector of `count` floats; load and store take a part of the last one.
template <class Format, class Body>
void over_vectors(int64_t count, const Body& body) {
  using Element = typename Format::Element;
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes) {
    body(i, [](const float* from) { return load_floats(from); }, [](Element* to, Floats x) { Format::store(to, x); });
  }
  const int64_t left = count - i;
  if (left == 0) return;
  body(i, [left](const float* from) { return load_some(from, left, 0.0F); },
       [left](Element* to, Floats x) { Format::store_first(to, x, left); });
}

/// As gated_rows in activation_cpu.h.
template <class Format>
void gated_forward_rows(Activation activation, const float* gate_up, int64_t rows, int64_t width,
                        typename Format::Element* out) {
  with_curve(activation, [&](auto curve) {
    for (int64_t t = 0; t < rows; ++t) {
      const float* gate = gate_up + t * 2 * width;
      const float* up = gate + width;
      typename Format::Element* row = out + t * width;
      over_vectors<Format>(width, [&](int64_t i, auto load, auto store) {
        store(row + i, curve.value(load(gate + i)) * load(up + i));
      });
    }
  });
}

/// As gated_backward_rows in activation_cpu.h.
template <class Format>
void gated_gradient_rows(Activation activation, const float* dout, const float* gate_up, int64_t rows, int64_t width,
                         typename Format::Element* dgate_up, typename Format::Element* out) {
  with_curve(activation, [&](auto curve) {
    for (int64_t t = 0; t < rows; ++t) {
      const float* grad = dout + t * width;
      const float* gate = gate_up + t * 2 * width;
      const float* up = gate + width;
      typename Format::Element* dgate = dgate_up + t * 2 * width;
      typename Format::Element* dup = dgate + width;
      over_vectors<Format>(width, [&](int64_t i, auto load, auto store) {
        const Floats d = load(grad + i);
        const Curve at = curve.curve(load(gate + i));
        const Floats factor = load(up + i);
        store(dgate + i, d * factor * at.slope);
        store(dup + i, d * at.value);
        if (out != nullptr) store(out + t * width + i, at.value * factor);
      });
    }
  });
}

}  // namespace
}  // namespace hone::kernels
