#include <ATen/ATen.h>

#include <cstring>
#include <limits>
#include <vector>

#undef CHECK
#include <doctest/doctest.h>

#include "base/threads.h"
#include "kernels/activation/activation.h"
#include "kernels/linear/linear.h"

using namespace hone;
using namespace hone::kernels;

namespace {

at::Tensor random(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  return at::randn({rows, columns}, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

/// What a product sees of a tensor, in float64.
at::Tensor operand(const at::Tensor& tensor, Compute compute) {
  return (compute == Compute::bfloat16 ? tensor.to(at::kBFloat16) : tensor).to(at::kDouble);
}

double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  if (expected.numel() == 0) return 0;
  const double norm = expected.norm().item<double>();
  return (got.to(at::kDouble) - expected).norm().item<double>() / (norm == 0 ? 1 : norm);
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() &&
         std::memcmp(a.const_data_ptr<float>(), b.const_data_ptr<float>(), static_cast<std::size_t>(a.numel()) * 4) == 0;
}

constexpr double tolerance = 1e-6;

struct Shape {
  std::int64_t rows, in, out;
};
const std::vector<Shape> shapes = {{0, 4, 5},     {1, 1, 1},    {1, 3, 5},      {2, 63, 33},   {3, 64, 32},
                                   {13, 257, 31}, {14, 96, 64}, {15, 513, 100}, {29, 700, 65}, {64, 2049, 40},
                                   {257, 30, 96}, {300, 1, 33}, {520, 129, 1}};

}  // namespace

TEST_CASE("kernels: linear forward and backward agree with float64 products of their operands") {
  for (const int count : {1, 2}) {
    set_threads(count);
    for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
      for (const Shape& shape : shapes) {
        CAPTURE(shape.rows);
        CAPTURE(shape.in);
        CAPTURE(shape.out);
        const at::Tensor x = random(shape.rows, shape.in, 1);
        const at::Tensor w = random(shape.out, shape.in, 2);
        const at::Tensor bias = random(1, shape.out, 3).view({shape.out});
        const at::Tensor dy = random(shape.rows, shape.out, 4);
        PackedWeight packed(shape.out, shape.in, compute, true);
        packed.refresh(w);

        const at::Tensor product = at::matmul(operand(x, compute), operand(w, compute).t());
        CHECK(relative_error(linear_forward(x, packed), product) < tolerance);
        CHECK(relative_error(linear_forward(x, packed, bias), product + bias.to(at::kDouble)) < tolerance);
        CHECK(relative_error(linear_backward_input(dy, packed),
                             at::matmul(operand(dy, compute), operand(w, compute))) < tolerance);

        at::Tensor dw = random(shape.out, shape.in, 5);
        const at::Tensor expected_dw =
            dw.to(at::kDouble) + at::matmul(operand(dy, compute).t(), operand(x, compute));
        linear_backward_weight(dy, x, compute, dw);
        CHECK(relative_error(dw, expected_dw) < tolerance);

        at::Tensor dbias = bias.clone();
        linear_backward_bias(dy, dbias);
        CHECK(relative_error(dbias, bias.to(at::kDouble) + dy.to(at::kDouble).sum(0)) < tolerance);
      }
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: products of operands that were rounded before have the bits of products that round them") {
  for (const int count : {1, 2}) {
    set_threads(count);
    for (const Shape& shape : shapes) {
      CAPTURE(shape.rows);
      CAPTURE(shape.in);
      CAPTURE(shape.out);
      const at::Tensor x = random(shape.rows, shape.in, 1);
      const at::Tensor dy = random(shape.rows, shape.out, 2);
      const at::Tensor bias = random(1, shape.out, 3).view({shape.out});
      const at::Tensor rounded_x = x.to(at::kBFloat16);
      const at::Tensor rounded_dy = dy.to(at::kBFloat16);
      PackedWeight packed(shape.out, shape.in, Compute::bfloat16, true);
      packed.refresh(random(shape.out, shape.in, 4));
      CHECK(same_bits(linear_forward(rounded_x, packed, bias), linear_forward(x, packed, bias)));
      CHECK(same_bits(linear_backward_input(rounded_dy, packed), linear_backward_input(dy, packed)));
      const at::Tensor start = random(shape.out, shape.in, 5);
      at::Tensor expected = start.clone();
      linear_backward_weight(dy, x, Compute::bfloat16, expected);
      for (const auto& [left, right] :
           {std::pair{rounded_dy, x}, std::pair{dy, rounded_x}, std::pair{rounded_dy, rounded_x}}) {
        at::Tensor dweight = start.clone();
        linear_backward_weight(left, right, Compute::bfloat16, dweight);
        CHECK(same_bits(dweight, expected));
      }
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: denormals, infinities and NaN have the same effect in operands that were rounded before") {
  constexpr std::int64_t depth = 70;
  const float specials[] = {1e-39F,  -1e-40F, 1.1754942e-38F,  // the last rounds to the least normal number
                            1.2e-38F, 3.4e38F, -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()};
  for (const float special : specials) {
    CAPTURE(special);
    const at::Tensor gate_up = at::cat({at::full({3, depth}, special), at::ones({3, depth})}, 1);
    PackedWeight packed(33, depth, Compute::bfloat16, false);
    packed.refresh(at::full({33, depth}, 1e30F));
    const at::Tensor exact = linear_forward(gated_forward(gate_up, Activation::relu), packed);
    CHECK(same_bits(linear_forward(gated_forward(gate_up, Activation::relu, at::kBFloat16), packed), exact));
  }
}

TEST_CASE("kernels: a row of a linear layer has the same bits for every number of rows and threads") {
  constexpr std::int64_t most = 2048;
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    const at::Tensor x = random(most, 515, 1);
    const at::Tensor dy = random(most, 300, 2);
    const at::Tensor bias = random(1, 300, 3).view({300});
    PackedWeight packed(300, 515, compute, true);
    packed.refresh(random(300, 515, 4));
    set_threads(1);
    const at::Tensor all = linear_forward(x, packed, bias);
    const at::Tensor all_dx = linear_backward_input(dy, packed);
    for (const int count : {1, 2}) {
      set_threads(count);
      CHECK(same_bits(linear_forward(x, packed, bias), all));
      CHECK(same_bits(linear_backward_input(dy, packed), all_dx));
      for (std::int64_t rows = 1; rows <= 64; ++rows) {
        const std::int64_t begin = rows * 31 % 1000;
        const at::Tensor part = linear_forward(x.narrow(0, begin, rows), packed, bias);
        CHECK(same_bits(part, all.narrow(0, begin, rows)));
        CHECK(same_bits(linear_backward_input(dy.narrow(0, begin, rows), packed), all_dx.narrow(0, begin, rows)));
      }
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: weight gradients have the same bits for every number of threads and split of the rows") {
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    const at::Tensor dy = random(900, 333, 1);
    const at::Tensor x = random(900, 130, 2);
    set_threads(1);
    at::Tensor whole = at::zeros({333, 130});
    linear_backward_weight(dy, x, compute, whole);
    set_threads(2);
    at::Tensor again = at::zeros({333, 130});
    linear_backward_weight(dy, x, compute, again);
    CHECK(same_bits(again, whole));
    at::Tensor parts = at::zeros({333, 130});
    for (const auto& [begin, count] : {std::pair{0, 34}, std::pair{34, 600}, std::pair{634, 266}}) {
      linear_backward_weight(dy.narrow(0, begin, count), x.narrow(0, begin, count), compute, parts);
    }
    CHECK(same_bits(parts, whole));
  }
  set_threads(1);
}

TEST_CASE("kernels: a refresh replaces the packed values and infinities and NaN come through") {
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    PackedWeight packed(3, 5, compute, false);
    CHECK(packed.bytes() == 0);
    packed.refresh(at::ones({3, 5}));
    CHECK(packed.bytes() > 0);
    packed.refresh(at::full({3, 5}, 2.0F));
    at::Tensor x = at::ones({4, 5});
    x[1][0] = std::numeric_limits<float>::infinity();
    x[2][4] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor y = linear_forward(x, packed);
    CHECK(y[0][0].item<float>() == 10.0F);
    CHECK(y[1][2].item<float>() == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(y[2][1].item<float>()));
    CHECK(y[3][2].item<float>() == 10.0F);
  }
}
