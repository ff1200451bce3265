#include "nn/recompute.h"

#include "nn/layer_oracle.h"

using namespace hone;
using namespace hone::test;

namespace {

using Tensors = std::vector<at::Tensor>;

struct Gradients {
  at::Tensor output, input, parameter;
  int calls = 0;
};

/// A part of two products with dropout between; its first output is its input, its second input may be undefined.
Gradients gradients(bool checkpointing) {
  Parameters parameters(kernels::Compute::float32);
  const Parameter first = parameters.matrix("first", 24, 16);
  const Parameter second = parameters.matrix("second", 16, 24);
  parameters.ready();
  parameters.store.set_gradient_checkpointing(checkpointing);
  const at::Tensor leaf = random_tensor({9, 16}, 3).requires_grad_(true);
  Gradients result;
  const Part part = [&](const Tensors& in) -> Tensors {
    ++result.calls;
    CHECK(!in[1].defined());
    return {in[0], linear(hone::dropout(linear(in[0], first), 0.3, 11), second)};
  };
  const Tensors out = checkpointed(parameters.store, {leaf * 2, {}}, part);
  result.output = (out[0] * out[1]).detach();
  (out[0] * out[1]).sum().backward();
  result.input = leaf.grad();
  result.parameter = parameters.store.grads().clone();
  return result;
}

}  // namespace

TEST_CASE("nn: a part that backward computes again has the same gradients, to the bit") {
  const Gradients plain = gradients(false);
  const Gradients again = gradients(true);
  CHECK(plain.calls == 1);
  CHECK(again.calls == 2);
  CHECK(same_bits(again.output, plain.output));
  CHECK(same_bits(again.input, plain.input));
  CHECK(same_bits(again.parameter, plain.parameter));
  CHECK(plain.parameter.abs().max().item<float>() > 0);
}

TEST_CASE("nn: without a gradient nothing is computed again") {
  Parameters parameters(kernels::Compute::float32);
  const Parameter weight = parameters.matrix("weight", 8, 8);
  parameters.ready();
  parameters.store.set_gradient_checkpointing(true);
  int calls = 0;
  const Part part = [&](const Tensors& in) -> Tensors {
    ++calls;
    return {linear(in[0], weight)};
  };
  const at::NoGradGuard no_grad;
  CHECK(!checkpointed(parameters.store, {random_tensor({3, 8}, 1).requires_grad_(true)}, part)[0].requires_grad());
  CHECK(calls == 1);
}
