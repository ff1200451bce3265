#include "kernels/activation/gated_gradient.h"

#include <cmath>
#include <vector>

#include "kernels/activation/activation_cpu.h"
#include "kernels/oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

constexpr Activation activations[] = {Activation::silu, Activation::gelu, Activation::gelu_tanh, Activation::relu,
                                      Activation::tanh};

at::Tensor plain(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::silu: return at::silu(x);
    case Activation::gelu: return at::gelu(x, "none");
    case Activation::gelu_tanh: return at::gelu(x, "tanh");
    case Activation::relu: return at::relu(x);
    case Activation::tanh: return at::tanh(x);
  }
  return {};
}

const std::vector<std::vector<std::int64_t>> sizes{{0, 4}, {1, 1}, {5, 7}, {3, 17}, {40, 128}, {9, 333}, {3, 768}};

}  // namespace

TEST_CASE("kernels: activations equal plain operators, forward and backward") {
  for (const Activation activation : activations) {
    for (const auto& size : sizes) {
      CAPTURE(static_cast<int>(activation));
      CAPTURE(size[1]);
      const at::Tensor x = random_tensor(size, 1, 3.0);
      const at::Tensor dout = random_tensor(size, 2);
      const at::Tensor leaf = double_leaf(x);
      const at::Tensor expected = plain(leaf, activation);
      CHECK(relative_error(activation_forward(x, activation), expected.detach()) < 1e-6);
      CHECK(relative_error(activation_backward(dout, x, activation), gradients(expected, dout, {leaf})[0]) < 1e-5);
    }
  }
}

TEST_CASE("kernels: gated activations equal plain operators, forward and backward") {
  for (const Activation activation : activations) {
    for (const auto& size : sizes) {
      CAPTURE(static_cast<int>(activation));
      CAPTURE(size[1]);
      const std::int64_t width = size[1];
      const at::Tensor gate_up = random_tensor({size[0], 2 * width}, 3, 3.0);
      const at::Tensor dout = random_tensor(size, 4);
      const at::Tensor leaf = double_leaf(gate_up);
      const at::Tensor expected = plain(leaf.slice(1, 0, width), activation) * leaf.slice(1, width);
      CHECK(relative_error(gated_forward(gate_up, activation), expected.detach()) < 1e-5);
      CHECK(relative_error(gated_backward(dout, gate_up, activation), gradients(expected, dout, {leaf})[0]) < 1e-4);
    }
  }
}

TEST_CASE("kernels: every value of an activation is right to the sixth digit, near zero and in its tails") {
  const at::Tensor x = at::cat({at::linspace(-5.5, 5.5, 40001), at::logspace(-30, 0, 3001), -at::logspace(-30, 0, 3001)})
                           .to(at::kFloat)
                           .reshape({-1, 1});
  const at::Tensor exact = x.to(at::kDouble);
  for (const Activation activation : activations) {
    at::Tensor expected = plain(exact, activation);
    // Φ(x) as erfc: the plain operator loses the tail to 1 + erf.
    if (activation == Activation::gelu) expected = exact * at::erfc(exact * -std::sqrt(0.5)) * 0.5;
    const at::Tensor got = activation_forward(x, activation).to(at::kDouble);
    const at::Tensor scale = expected.abs().clamp_min(1e-300);
    CAPTURE(static_cast<int>(activation));
    // gelu_tanh and silu round the argument of their exponential.
    CHECK(((got - expected).abs() / scale).max().item<double>() < (activation == Activation::gelu_tanh ? 5e-6 : 1e-6));
  }
}

TEST_CASE("kernels: activations stay finite far from zero and pass NaN on") {
  const float large = 1e30F;
  const at::Tensor x = at::tensor({-large, -1e6F, -90.0F, -20.0F, 20.0F, 90.0F, 1e6F, large}).reshape({1, 8});
  for (const Activation activation : activations) {
    CAPTURE(static_cast<int>(activation));
    const bool bounded = activation == Activation::tanh;
    const at::Tensor out = activation_forward(x, activation);
    const at::Tensor wanted = bounded ? at::sign(x) : at::relu(x);
    CHECK(at::isfinite(out).all().item<bool>());
    CHECK((out - wanted).abs().max().item<double>() < 1e-6);
    const at::Tensor dx = activation_backward(at::ones({1, 8}), x, activation);
    CHECK((dx - (bounded ? at::zeros({1, 8}) : x.sign().relu())).abs().max().item<double>() < 1e-6);
    CHECK(at::isnan(activation_forward(at::full({1, 3}, NAN), activation)).all().item<bool>());
    CHECK(at::isnan(gated_forward(at::full({1, 6}, NAN), activation)).all().item<bool>());
  }
}

TEST_CASE("kernels: a row of an activation has the same bits alone and among others, with one thread and with two") {
  const at::Tensor gate_up = random_tensor({100, 74}, 5);
  const at::Tensor dout = random_tensor({100, 37}, 6);
  for (const Activation activation : activations) {
    const auto compute = [&] {
      return std::vector<at::Tensor>{gated_forward(gate_up, activation), gated_backward(dout, gate_up, activation),
                                     activation_forward(dout, activation), activation_backward(dout, dout, activation)};
    };
    const auto one = with_threads(1, compute);
    const auto two = with_threads(2, compute);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
    CHECK(same_bits(gated_forward(gate_up.slice(0, 50, 51), activation), one[0].slice(0, 50, 51)));
    CHECK(same_bits(activation_forward(dout.slice(0, 50, 51), activation), one[2].slice(0, 50, 51)));
  }
}

TEST_CASE("kernels: backward gives the forward pass of a gated activation again, to the bit") {
  const at::Tensor gate_up = random_tensor({21, 74}, 8);
  const at::Tensor dout = random_tensor({21, 37}, 9);
  for (const Activation activation : activations) {
    const GatedGradient got = gated_backward_with_forward(dout, gate_up, activation);
    CHECK(same_bits(got.out_TF, gated_forward(gate_up, activation)));
    CHECK(same_bits(got.dgate_up_T2F, gated_backward(dout, gate_up, activation)));
  }
}

TEST_CASE("kernels: gated activations in bfloat16 are the float32 ones rounded to nearest, ties to even") {
  for (const Activation activation : activations) {
    for (const auto& size : sizes) {
      CAPTURE(static_cast<int>(activation));
      CAPTURE(size[1]);
      const at::Tensor gate_up = random_tensor({size[0], 2 * size[1]}, 10, 3.0);
      const at::Tensor dout = random_tensor(size, 11);
      const GatedGradient exact = gated_backward_with_forward(dout, gate_up, activation);
      const GatedGradient got = gated_backward_with_forward(dout, gate_up, activation, at::kBFloat16);
      CHECK(same_bits(gated_forward(gate_up, activation, at::kBFloat16), exact.out_TF.to(at::kBFloat16)));
      CHECK(same_bits(got.out_TF, exact.out_TF.to(at::kBFloat16)));
      CHECK(same_bits(got.dgate_up_T2F, exact.dgate_up_T2F.to(at::kBFloat16)));
    }
  }
  const at::Tensor ties = at::tensor({1.00390625F, 1.01171875F, 3.3895314e38F, INFINITY, NAN}).reshape({1, 5});
  const at::Tensor gate_up = at::cat({ties, at::ones({1, 5})}, 1);
  const at::Tensor out = gated_forward(gate_up, Activation::relu, at::kBFloat16).to(at::kFloat);
  CHECK(out[0][0].item<float>() == 1.0F);
  CHECK(out[0][1].item<float>() == 1.015625F);
  CHECK(out[0][2].item<float>() == 3.3895314e38F);  // the greatest number
  CHECK(std::isinf(out[0][3].item<float>()));
  CHECK(std::isnan(out[0][4].item<float>()));
}

TEST_CASE("kernels: every variant of a gated activation in bfloat16 rounds what its float32 twin gives") {
  constexpr std::int64_t rows = 10, width = 37;
  const at::Tensor gate_up = random_tensor({rows, 2 * width}, 12, 3.0);
  const at::Tensor dout = random_tensor({rows, width}, 13);
  const auto exact = HONE_VARIANTS(gated_rows);
  const auto rounded = HONE_VARIANTS(gated_rows_bfloat16);
  const auto exact_backward = HONE_VARIANTS(gated_backward_rows);
  const auto rounded_backward = HONE_VARIANTS(gated_backward_rows_bfloat16);
  const auto halves = [](at::Tensor& tensor) { return static_cast<std::uint16_t*>(tensor.mutable_data_ptr()); };
  for (const Activation activation : activations) {
    for (std::size_t i = 0; i < exact.size(); ++i) {
      CAPTURE(i);
      at::Tensor out = at::empty({rows, width}), near = at::empty({rows, width}, at::kBFloat16);
      at::Tensor dgate_up = at::empty({rows, 2 * width}), near_dgate_up = at::empty({rows, 2 * width}, at::kBFloat16);
      const float* from = gate_up.const_data_ptr<float>();
      const float* grad = dout.const_data_ptr<float>();
      exact[i](activation, from, rows, width, out.data_ptr<float>());
      rounded[i](activation, from, rows, width, halves(near));
      CHECK(same_bits(near, out.to(at::kBFloat16)));
      exact_backward[i](activation, grad, from, rows, width, dgate_up.data_ptr<float>(), nullptr);
      rounded_backward[i](activation, grad, from, rows, width, halves(near_dgate_up), halves(near));
      CHECK(same_bits(near, out.to(at::kBFloat16)));
      CHECK(same_bits(near_dgate_up, dgate_up.to(at::kBFloat16)));
    }
  }
}

TEST_CASE("kernels: every variant of an activation is stable and close to the others") {
  const at::Tensor gate_up = random_tensor({10, 74}, 7);
  for (const Activation activation : activations) {
    at::Tensor narrowest;
    for (const auto& kernel : HONE_VARIANTS(gated_rows)) {
      const auto compute = [&] {
        at::Tensor out = at::empty({10, 37});
        kernel(activation, gate_up.const_data_ptr<float>(), 10, 37, out.data_ptr<float>());
        return out;
      };
      const at::Tensor out = compute();
      CHECK(same_bits(out, compute()));
      if (!narrowest.defined()) narrowest = out;
      CHECK(relative_error(out, narrowest) < 1e-6);
    }
  }
}
