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
