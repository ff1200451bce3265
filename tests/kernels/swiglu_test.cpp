#include "kernels/swiglu/swiglu.h"

#include <vector>

#include "kernels/oracle.h"
#include "kernels/swiglu/swiglu_cpu.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

}  // namespace

TEST_CASE("kernels: swiglu equals plain operators, forward and backward") {
  const std::vector<std::vector<std::int64_t>> sizes{{0, 4}, {1, 1}, {3, 17}, {40, 128}, {9, 333}};
  for (const auto& size : sizes) {
    const std::int64_t rows = size[0];
    const std::int64_t width = size[1];
    CAPTURE(rows);
    CAPTURE(width);
    const at::Tensor gate_up = random_tensor({rows, 2 * width}, 1, 3.0);
    const at::Tensor dout = random_tensor({rows, width}, 2);
    const at::Tensor leaf = double_leaf(gate_up);
    const at::Tensor expected = at::silu(leaf.slice(1, 0, width)) * leaf.slice(1, width);
    CHECK(relative_error(swiglu_forward(gate_up), expected.detach()) < 1e-5);
    CHECK(relative_error(swiglu_backward(dout, gate_up), gradients(expected, dout, {leaf})[0]) < 1e-4);
  }
}

TEST_CASE("kernels: swiglu stays finite for gates far from zero and passes NaN on") {
  const at::Tensor gate_up = at::tensor({-1000.0F, -90.0F, 90.0F, 1000.0F, 1.0F, 1.0F, 1.0F, 1.0F}).reshape({1, 8});
  const at::Tensor out = swiglu_forward(gate_up);
  CHECK(relative_error(out, at::tensor({0.0F, 0.0F, 90.0F, 1000.0F}).reshape({1, 4})) < 1e-6);
  CHECK(at::isfinite(swiglu_backward(at::ones({1, 4}), gate_up)).all().item<bool>());
  CHECK(at::isnan(swiglu_forward(at::full({1, 6}, NAN))).all().item<bool>());
}

TEST_CASE("kernels: a row of swiglu has the same bits alone and among others, with one thread and with two") {
  const at::Tensor gate_up = random_tensor({100, 74}, 3);
  const at::Tensor dout = random_tensor({100, 37}, 4);
  const auto compute = [&] { return std::pair(swiglu_forward(gate_up), swiglu_backward(dout, gate_up)); };
  const auto one = with_threads(1, compute);
  const auto two = with_threads(2, compute);
  CHECK(same_bits(one.first, two.first));
  CHECK(same_bits(one.second, two.second));
  CHECK(same_bits(swiglu_forward(gate_up.slice(0, 50, 51)), one.first.slice(0, 50, 51)));
}

TEST_CASE("kernels: every variant of swiglu is stable and close to the others") {
  const at::Tensor gate_up = random_tensor({10, 74}, 5);
  at::Tensor narrowest;
  for (const auto& kernel : HONE_VARIANTS(swiglu_rows)) {
    const auto compute = [&] {
      at::Tensor out = at::empty({10, 37});
      kernel(gate_up.const_data_ptr<float>(), 10, 37, out.data_ptr<float>());
      return out;
    };
    const at::Tensor out = compute();
    CHECK(same_bits(out, compute()));
    if (!narrowest.defined()) narrowest = out;
    CHECK(relative_error(out, narrowest) < 1e-6);
  }
}
