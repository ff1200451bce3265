#include "nn/parameter_store.h"

#include <atomic>

#include "base/threads.h"
#include "kernels/isa.h"
#include "nn/layer_oracle.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t rows = 70;
constexpr std::int64_t columns = 65;

at::Tensor values_in_bfloat16() { return random_tensor({rows, columns}, 5).to(at::kBFloat16).to(at::kFloat); }

RowSource source_of(const at::Tensor& values, bool bfloat16) {
  RowSource source = rows_of(values);
  source.bfloat16 = bfloat16;
  return source;
}

/// A store that only computes, with a table that also multiplies, one that does not, a matrix and a vector.
struct Computing {
  explicit Computing(kernels::Compute compute) : store(compute, WeightUse::compute) {
    tied = store.add({.name = "tied", .shape = {rows, columns}, .matrix = true, .lookup = true});
    table = store.add({.name = "table", .shape = {rows, columns}, .lookup = true});
    matrix = store.add({.name = "matrix", .shape = {rows, columns}, .matrix = true});
    vector = store.add({.name = "vector", .shape = {rows}});
    store.allocate();
  }
  void fill(const at::Tensor& values, bool bfloat16) {
    for (const Parameter& parameter : {tied, table, matrix}) store.fill(parameter, source_of(values, bfloat16));
    store.refresh();
  }
  ParameterStore store;
  Parameter tied, table, matrix, vector;
};

const at::Tensor id_M = at::tensor(std::vector<std::int32_t>{69, 0, 31, 32, 33, 0}, at::kInt);

}  // namespace

TEST_CASE("nn: tables of a store that only computes give their rows as exactly as they were read") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16, kernels::Compute::int8}) {
    for (const bool bfloat16 : {false, true}) {
      CAPTURE(static_cast<int>(compute));
      CAPTURE(bfloat16);
      Computing model(compute);
      const at::Tensor values = bfloat16 ? values_in_bfloat16() : random_tensor({rows, columns}, 5);
      model.fill(values, bfloat16);
      const at::Tensor expected = values.index_select(0, id_M);
      CHECK(same_bits(model.tied.rows(id_M), expected));
      CHECK(same_bits(model.table.rows(id_M), expected));
    }
  }
}

TEST_CASE("nn: a store that only computes multiplies as one that trains does") {
  const at::Tensor x = random_tensor({5, columns}, 8);
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    const at::Tensor values = random_tensor({rows, columns}, 5);
    kernels::PackedWeight trained(rows, columns, compute, true);
    trained.refresh(values);
    Computing model(compute);
    model.fill(values, false);
    CHECK(same_bits(kernels::linear_forward(x, model.matrix.packed()), kernels::linear_forward(x, trained)));
    CHECK(same_bits(kernels::linear_forward(x, model.tied.packed()), kernels::linear_forward(x, trained)));
  }
}

TEST_CASE("nn: a store that only computes holds each weight once") {
  const std::int64_t panels = 96 * (columns + 1);  // rows in whole panels of 32, pairs of columns
  const std::int64_t vector = 4 * 80;              // in whole cache lines
  SUBCASE("bfloat16 values in bfloat16") {
    Computing model(kernels::Compute::bfloat16);
    model.fill(values_in_bfloat16(), true);
    CHECK(model.store.held_bytes() <= 2 * (2 * panels + rows * columns) + vector);
  }
  SUBCASE("float32 values in float32") {
    Computing model(kernels::Compute::float32);
    model.fill(random_tensor({rows, columns}, 5), false);
    CHECK(model.store.held_bytes() <= 4 * (2 * panels + rows * columns) + vector);
  }
}

TEST_CASE("nn: what was never filled is zero") {
  Computing model(kernels::Compute::bfloat16);
  model.store.refresh();
  CHECK(model.tied.rows(id_M).abs().max().item<float>() == 0);
  CHECK(kernels::linear_forward(random_tensor({2, columns}, 1), model.matrix.packed()).abs().max().item<float>() == 0);
  CHECK(model.vector.weight().abs().max().item<float>() == 0);
}

TEST_CASE("nn: an id beyond a table is told") {
  Computing model(kernels::Compute::float32);
  model.fill(random_tensor({rows, columns}, 5), false);
  HONE_CHECK_ERROR(data, model.tied.rows(at::tensor(std::vector<std::int32_t>{70}, at::kInt)), "id 70", "[0, 70)");
}

TEST_CASE("nn: a store for files has float32 values and nothing else") {
  ParameterStore store(kernels::Compute::bfloat16, WeightUse::edit);
  const Parameter matrix = store.add({.name = "matrix", .shape = {rows, columns}, .matrix = true});
  store.allocate();
  const at::Tensor values = random_tensor({rows, columns}, 5);
  store.fill(matrix, rows_of(values));
  store.refresh();
  CHECK(same_bits(matrix.weight(), values));
  CHECK(store.packed_bytes() == 0);
  CHECK(store.held_bytes() == 4 * ((rows * columns + 15) / 16 * 16));
}

TEST_CASE("nn: an update sees every trained value once before it is packed") {
  for (const int team : {1, 2}) {
    set_threads(team);
    ParameterStore store(kernels::Compute::bfloat16, true);
    const Parameter matrix = store.add({.name = "matrix", .shape = {rows, columns}, .matrix = true});
    store.add({.name = "table", .shape = {700, columns}, .lookup = true});
    const Parameter frozen = store.add({.name = "frozen", .shape = {rows, columns}, .matrix = true, .frozen = true});
    store.add({.name = "vector", .shape = {3}});
    store.allocate();
    store.initialize(1);
    store.refresh();
    float* const weights = store.weights().data_ptr<float>();
    float* const seen = store.grads().data_ptr<float>();
    std::atomic<bool> whole_lines = true;
    store.update([&](std::int64_t begin, std::int64_t end) {
      if (begin % 16 != 0 || end % 16 != 0) whole_lines = false;
      for (std::int64_t i = begin; i < end; ++i) weights[i] = 2, ++seen[i];
    });
    CHECK(whole_lines);
    CHECK(store.grads().eq(1).all().item<bool>());
    const at::Tensor x = at::ones({1, columns});
    CHECK(at::equal(kernels::linear_forward(x, matrix.packed()), at::full({1, rows}, 2.0 * columns, at::kFloat)));
    CHECK(frozen.weight().abs().max().item<float>() < 1);
  }
  set_threads(1);
}
