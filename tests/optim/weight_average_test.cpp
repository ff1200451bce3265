#include "optim/weight_average.h"

#include "support/golden_tensor.h"

using namespace hone;
using namespace hone::test;

namespace {

void fill(ParameterStore& store) {
  store.add({.name = "matrix", .shape = {5, 7}, .init = normal_init(0.5), .matrix = true});
  store.add({.name = "frozen", .shape = {3}, .init = normal_init(0.5), .frozen = true});
  store.allocate();
  store.initialize(7);
  store.refresh();
}

}  // namespace

TEST_CASE("optim: the average follows its formula, early updates at a lower decay") {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  const Parameter matrix = store.find("matrix");
  WeightAverage average(store, 0.9);
  at::Tensor expected = matrix.weight().to(at::kDouble);
  for (int n = 1; n <= 200; ++n) {
    matrix.weight().add_(at::sin(at::arange(35, at::kFloat) + n).view({5, 7}), 0.1);
    average.update();
    const double decay = std::min(0.9, (1.0 + n) / (10.0 + n));
    expected = decay * expected + (1 - decay) * matrix.weight().to(at::kDouble);
  }
  CHECK(average.updates() == 200);
  CHECK(gap(average.values().narrow(0, 0, 35).view({5, 7}), expected) < 1e-6);
}

TEST_CASE("optim: the average stands in for the weights, to the bit and back, and passes compute with it") {
  ParameterStore store(kernels::Compute::float32, true);
  fill(store);
  WeightAverage average(store, 0.5);
  store.find("matrix").weight().mul_(2);
  store.refresh();
  average.update();
  const at::Tensor weights = store.weights().clone(), mean = average.values().clone();
  const at::Tensor frozen = store.find("frozen").weight().clone();
  const at::Tensor x = at::ones({1, 7});
  const at::Tensor by_weights = kernels::linear_forward(x, store.find("matrix").packed());
  {
    const WeightAverage::InPlace in_place(average);
    CHECK(at::equal(store.weights().narrow(0, 0, mean.numel()), mean));
    CHECK(at::equal(store.find("frozen").weight(), frozen));
    CHECK(gap(kernels::linear_forward(x, store.find("matrix").packed()), by_weights) > 0.1);
  }
  CHECK(at::equal(store.weights(), weights));
  CHECK(at::equal(average.values(), mean));
  CHECK(at::equal(kernels::linear_forward(x, store.find("matrix").packed()), by_weights));
  average.adopt();
  CHECK(at::equal(store.weights().narrow(0, 0, mean.numel()), mean));
}
