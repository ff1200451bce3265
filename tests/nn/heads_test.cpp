#include "support/doctest_torch.h"

#include <cmath>

#include "nn/model.h"
#include "policies/llama.h"

using namespace hone;

namespace {

LlamaSpec small_spec() {
  LlamaSpec spec;
  spec.vocabulary_size = 16;
  spec.hidden = 64;
  spec.layers = 1;
  spec.heads = 2;
  return spec;
}

}  // namespace

TEST_CASE("nn: a value head starts at zero, so the first values are zero") {
  Model model(small_spec(), {.value = true}, kernels::Compute::float32, true);
  model.store.initialize(1);
  model.store.refresh();
  CHECK(at::count_nonzero(model.store.find("value").weight()).item<std::int64_t>() == 0);
  CHECK(at::count_nonzero((*model.value)(at::ones({3, 64}))).item<std::int64_t>() == 0);
}

TEST_CASE("nn: score heads start normal with deviation 1/sqrt(hidden + 1)") {
  Model model(small_spec(), {.scores = 64, .score_kind = HeadKind::classes}, kernels::Compute::float32, true);
  model.store.initialize(1);
  const at::Tensor weight = model.store.find("score").weight();
  const double expected = 1.0 / std::sqrt(65.0);
  CHECK(std::abs(weight.std().item<double>() - expected) < 0.05 * expected);
  CHECK(std::abs(weight.mean().item<double>()) < 0.1 * expected);
}

TEST_CASE("nn: a head added later leaves the trunk's first values as they were") {
  Model plain(small_spec(), {}, kernels::Compute::float32, true);
  Model with_value(small_spec(), {.value = true}, kernels::Compute::float32, true);
  plain.store.initialize(7);
  with_value.store.initialize(7);
  CHECK(at::equal(plain.store.find("embedding").weight(), with_value.store.find("embedding").weight()));
}
