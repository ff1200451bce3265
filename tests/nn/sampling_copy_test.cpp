#include "nn/sampling_copy.h"

#include "nn/layer_oracle.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t rows = 70;
constexpr std::int64_t columns = 66;

/// A matrix to be copied, and the two kinds of matrices that are not.
struct Weights {
  Weights() : store(kernels::Compute::float32, true) {
    matrix = store.add({.name = "matrix", .shape = {rows, columns}, .init = normal_init(0.3), .matrix = true});
    tied = store.add({.name = "tied", .shape = {rows, columns}, .init = normal_init(0.3), .matrix = true, .lookup = true});
    lm_head = store.add({.name = "lm_head",
                         .shape = {rows, columns},
                         .init = normal_init(0.3),
                         .role = SegmentRole::lm_head,
                         .matrix = true});
    store.allocate();
    store.initialize(3);
    store.refresh();
  }
  ParameterStore store;
  Parameter matrix, tied, lm_head;
};

at::Tensor in_int8(const at::Tensor& x, const at::Tensor& weight) {
  kernels::PackedWeight packed(rows, columns, kernels::Compute::int8, false);
  packed.refresh(weight.contiguous());
  return kernels::linear_forward(x, packed);
}

}  // namespace

TEST_CASE("nn: a sampling copy is read while it is used, and only then") {
  const at::NoGradGuard no_grad;
  Weights model;
  SamplingCopy copy(model.store);
  const at::Tensor x = random_tensor({5, columns}, 8);
  const auto product = [&](const Parameter& weight) { return kernels::linear_forward(x, weight.packed()); };
  const at::Tensor trained = product(model.matrix), tied = product(model.tied), head = product(model.lm_head);
  {
    const SamplingCopy::Use use(copy);
    CHECK(same_bits(product(model.matrix), in_int8(x, model.matrix.weight())));
    CHECK_FALSE(same_bits(product(model.matrix), trained));
    CHECK(same_bits(product(model.tied), tied));
    CHECK(same_bits(product(model.lm_head), head));
  }
  CHECK(same_bits(product(model.matrix), trained));
  CHECK(copy.bytes() > rows * columns);
  CHECK(copy.bytes() < 2 * rows * columns);
}

TEST_CASE("nn: a sampling copy has the weights of the moment at which its use begins") {
  const at::NoGradGuard no_grad;
  Weights model;
  SamplingCopy copy(model.store);
  { const SamplingCopy::Use before(copy); }
  model.matrix.weight().mul_(-2);
  model.store.refresh();
  const at::Tensor x = random_tensor({2, columns}, 8);
  const SamplingCopy::Use use(copy);
  CHECK(same_bits(kernels::linear_forward(x, model.matrix.packed()), in_int8(x, model.matrix.weight())));
}
