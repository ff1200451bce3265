#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/linear/int8_cpu.h"
#include "kernels/linear/linear.h"
#include "kernels/lm_head/lm_head.h"
#include "kernels/oracle.h"

namespace {

using namespace hone;
using namespace hone::kernels;
using namespace hone::test;

struct Shape {
  std::int64_t rows, in, out;
};
const std::vector<Shape> shapes = {{0, 4, 5},    {1, 1, 1},     {1, 3, 5},     {2, 63, 33},  {3, 64, 32},   {4, 7, 40},
                                   {7, 768, 96}, {13, 257, 31}, {14, 96, 64},  {15, 513, 100}, {29, 700, 65},
                                   {64, 2049, 40}, {300, 1, 33}, {520, 129, 1}};

/// A matrix as the product sees it: integers and one scale a row, in float64.
struct Quantized {
  at::Tensor integers, scale;
  explicit Quantized(const at::Tensor& x) {
    const at::Tensor magnitude = x.abs().amax(1, true);
    const at::Tensor inverse = at::where(magnitude > 0, 127.0F / magnitude, at::zeros_like(magnitude));
    integers = at::round(x * inverse).to(at::kDouble);  // to nearest, ties to even
    scale = (magnitude / 127.0F).to(at::kDouble);
  }
};

at::Tensor product(const at::Tensor& x, const at::Tensor& w) {
  if (x.size(0) == 0) return at::empty({0, w.size(0)}, at::kDouble);
  const Quantized a(x);
  const Quantized b(w);
  return at::matmul(a.integers, b.integers.t()) * a.scale * b.scale.t();
}

PackedWeight packed(const at::Tensor& w, Compute compute = Compute::int8) {
  PackedWeight result(w.size(0), w.size(1), compute, false);
  result.refresh(w);
  return result;
}

/// One instruction set's functions.
struct Variant {
  std::string name;
  decltype(&portable::quantize_rows) quantize;
  decltype(&portable::gemm_int8) gemm;
  decltype(&portable::pack_weight_int8) pack;
};

std::vector<Variant> runnable() {
  std::vector<Variant> all{{"portable", portable::quantize_rows, portable::gemm_int8, portable::pack_weight_int8}};
  if (isa() >= Isa::avx2) all.push_back({"avx2", avx2::quantize_rows, avx2::gemm_int8, avx2::pack_weight_int8});
  if (isa() >= Isa::avx512) {
    all.push_back({"avx512", avx512::quantize_rows, avx512::gemm_int8, avx512::pack_weight_int8});
  }
  if (has_int8_dot()) {
    all.push_back({"avx512vnni", avx512vnni::quantize_rows, avx512vnni::gemm_int8, avx512::pack_weight_int8});
  }
  return all;
}

/// The product through the functions of one instruction set.
at::Tensor multiply(const Variant& variant, const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const std::int64_t rows = x.size(0);
  const std::int64_t depth = x.size(1);
  const std::int64_t columns = w.size(0);
  const std::int64_t panels = (columns + 31) / 32;
  std::vector<std::uint32_t> words(static_cast<std::size_t>(panels * 32 * ((depth + 3) / 4)));
  std::vector<float> scales(static_cast<std::size_t>(panels * 32));
  variant.pack(w.const_data_ptr<float>(), columns, depth, 0, panels, words.data(), scales.data());
  Int8Gemm gemm;
  gemm.columns = columns;
  gemm.depth = depth;
  gemm.a.pitch = (depth + 15) / 16 * 8 + 16;
  const at::Tensor memory = at::empty({rows * gemm.a.pitch}, at::kInt);
  const at::Tensor scale = at::empty({rows}, at::kFloat);
  const at::Tensor offset = at::empty({rows}, at::kInt);
  gemm.a.words = static_cast<std::uint32_t*>(memory.data_ptr());
  gemm.a.scale = scale.data_ptr<float>();
  gemm.a.offset = offset.data_ptr<std::int32_t>();
  variant.quantize(x.const_data_ptr<float>(), depth, 0, rows, gemm.a);
  at::Tensor out = at::empty({rows, columns}, at::kFloat);
  gemm.panels = words.data();
  gemm.column_scale = scales.data();
  gemm.bias = bias.const_data_ptr<float>();
  gemm.c = out.data_ptr<float>();
  gemm.c_stride = columns;
  variant.gemm(gemm, {0, rows, 0, panels});
  return out;
}

}  // namespace

TEST_CASE("kernels: int8 products are exact sums of the quantised operands") {
  for (const int team : {1, 2}) {
    set_threads(team);
    for (const Shape& shape : shapes) {
      CAPTURE(shape.rows);
      CAPTURE(shape.in);
      CAPTURE(shape.out);
      const at::Tensor x = random_tensor({shape.rows, shape.in}, 1);
      const at::Tensor w = random_tensor({shape.out, shape.in}, 2);
      const at::Tensor bias = random_tensor({shape.out}, 3);
      const PackedWeight weight = packed(w);
      const at::Tensor expected = product(x, w);
      CHECK(relative_error(linear_forward(x, weight), expected) < 1e-6);
      CHECK(relative_error(linear_forward(x, weight, bias), expected + bias) < 1e-6);
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: int8 products are as near to float32 ones as eight bits allow") {
  const at::Tensor x = random_tensor({64, 768}, 4);
  const at::Tensor w = random_tensor({300, 768}, 5, 0.02);
  const at::Tensor expected = at::matmul(x.to(at::kDouble), w.to(at::kDouble).t());
  const auto error = [&](Compute compute) {
    const at::Tensor got = linear_forward(x, packed(w, compute));
    return ((got.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
  };
  CHECK(error(Compute::int8) < 0.013);  // a step is 1/127 of about three deviations, uniform errors, two operands
  CHECK(error(Compute::bfloat16) < 0.0025);
}

TEST_CASE("kernels: a row of an int8 layer has the same bits for every number of rows and threads") {
  const at::Tensor x = random_tensor({700, 515}, 6);
  const at::Tensor bias = random_tensor({300}, 7);
  const PackedWeight weight = packed(random_tensor({300, 515}, 8));
  const at::Tensor all = linear_forward(x, weight, bias);
  for (const int team : {1, 2}) {
    set_threads(team);
    CHECK(same_bits(linear_forward(x, weight, bias), all));
    for (std::int64_t rows = 1; rows <= 64; ++rows) {
      const std::int64_t begin = rows * 31 % 600;
      CHECK(same_bits(linear_forward(x.narrow(0, begin, rows), weight, bias), all.narrow(0, begin, rows)));
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: every instruction set gives the same int8 bits") {
  for (const Shape& shape : shapes) {
    const at::Tensor x = random_tensor({shape.rows, shape.in}, 9);
    const at::Tensor w = random_tensor({shape.out, shape.in}, 10);
    const at::Tensor bias = random_tensor({shape.out}, 11);
    const at::Tensor whole = linear_forward(x, packed(w), bias);
    for (const Variant& variant : runnable()) {
      CAPTURE(variant.name);
      CAPTURE(shape.in);
      CHECK(same_bits(multiply(variant, x, w, bias), whole));
    }
  }
}

TEST_CASE("kernels: the largest int8 sums do not overflow") {
  const at::Tensor x = at::ones({3, int8_max_depth}, at::kFloat);
  const at::Tensor w = at::cat({at::ones({1, int8_max_depth}), at::full({1, int8_max_depth}, -1.0F)});
  for (const Variant& variant : runnable()) {
    CAPTURE(variant.name);
    const at::Tensor out = multiply(variant, x, w, at::zeros({2}));
    CHECK(relative_error(out, at::tensor({65536.0, -65536.0}, at::kDouble).expand({3, 2})) < 1e-6);
    CHECK(relative_error(multiply(variant, -x, w, at::zeros({2})), -out) == 0);
  }
}

TEST_CASE("kernels: rows of zeros give the bias and rows with NaN or infinity give NaN, each alone") {
  const at::Tensor w = random_tensor({40, 33}, 12);
  const at::Tensor bias = random_tensor({40}, 13);
  at::Tensor x = random_tensor({6, 33}, 14);
  const at::Tensor clean = linear_forward(x, packed(w), bias);
  x[1].zero_();
  x[2][32] = std::numeric_limits<float>::quiet_NaN();
  x[3][0] = -std::numeric_limits<float>::infinity();
  x[4].fill_(1e-38F);
  at::Tensor broken = w.clone();
  broken[5][1] = NAN;
  broken[6].zero_();
  for (const Variant& variant : runnable()) {
    CAPTURE(variant.name);
    const at::Tensor y = multiply(variant, x, w, bias);
    CHECK(same_bits(y[0], clean[0]));
    CHECK(same_bits(y[1], bias));
    CHECK(at::isnan(y[2]).all().item<bool>());
    CHECK(at::isnan(y[3]).all().item<bool>());
    CHECK(same_bits(y[4], bias));
    CHECK(same_bits(y[5], clean[5]));
    const at::Tensor z = multiply(variant, x, broken, bias);
    CHECK(std::isnan(z[0][5].item<float>()));
    CHECK(z[0][6].item<float>() == bias[6].item<float>());
    CHECK(z[0][7].item<float>() == clean[0][7].item<float>());
  }
}

TEST_CASE("kernels: an int8 weight takes a quarter of the float32 bytes and needs no other copy") {
  at::Tensor w = random_tensor({320, 640}, 15);
  const at::Tensor x = random_tensor({3, 640}, 16);
  const PackedWeight weight = packed(w);
  CHECK(weight.compute() == Compute::int8);
  CHECK(weight.bytes() == 320 * 640 + 320 * 4);
  const PackedWeight half = packed(w, Compute::bfloat16);
  CHECK(half.bytes() == 2 * 320 * 640);
  const at::Tensor before = linear_forward(x, weight);
  const at::Tensor half_before = linear_forward(x, half);
  w.fill_(NAN);
  CHECK(same_bits(linear_forward(x, weight), before));
  CHECK(same_bits(linear_forward(x, half), half_before));
}

TEST_CASE("kernels: an int8 head gives log-probabilities with the bits of its logits") {
  const at::Tensor hidden = random_tensor({9, 64}, 17);
  const PackedWeight weight = packed(random_tensor({1000, 64}, 18));
  const LogitRule rule{random_tensor({1000}, 19), 5.0};
  const at::Tensor target = at::arange(9, at::kLong) * 100;
  const TokenStatistics got = lm_head_forward(hidden, weight, target, 1.0, false, rule);
  const at::Tensor logits = lm_head_logits(hidden, weight, rule);
  const at::Tensor expected = at::log_softmax(logits.to(at::kDouble), 1).gather(1, target.unsqueeze(1)).squeeze(1);
  CHECK((got.logprob_M - expected).abs().max().item<double>() < 1e-5);
  const TokenStatistics alone = lm_head_forward(hidden.narrow(0, 4, 1), weight, target.narrow(0, 4, 1), 1.0, false, rule);
  CHECK(same_bits(alone.logprob_M, got.logprob_M.narrow(0, 4, 1)));
}
