#include "kernels/norm/norm.h"

#include <vector>

#include "kernels/norm/norm_cpu.h"
#include "kernels/oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

constexpr double eps = 1e-5;

at::Tensor plain_norm(const at::Tensor& sum, const at::Tensor& weight, double weight_offset = 0) {
  return sum * at::rsqrt(sum.square().mean(-1, true) + eps) * (weight + weight_offset);
}

struct Size {
  std::int64_t rows;
  std::int64_t width;
};
const std::vector<Size> sizes{{0, 8}, {1, 3}, {3, 7}, {5, 64}, {130, 100}, {65, 257}, {64, 128}};

}  // namespace

TEST_CASE("kernels: rms_norm with and without residual equals plain operators, forward and backward") {
  for (const Size size : sizes) {
    for (const bool with_residual : {false, true}) {
      for (const bool with_extra : {false, true}) {
        CAPTURE(size.rows);
        CAPTURE(size.width);
        const at::Tensor x = random_tensor({size.rows, size.width}, 1);
        const at::Tensor residual = with_residual ? random_tensor({size.rows, size.width}, 2) : at::Tensor();
        const at::Tensor weight = random_tensor({size.width}, 3);
        const at::Tensor dout = random_tensor({size.rows, size.width}, 4);
        const at::Tensor extra = with_extra ? random_tensor({size.rows, size.width}, 5) : at::Tensor();
        const at::Tensor sum = double_leaf(with_residual ? x + residual : x);
        const at::Tensor scale = double_leaf(weight);
        const at::Tensor expected = plain_norm(sum, scale);

        const RmsNorm result = rms_norm_forward(x, residual, weight, eps);
        CHECK(relative_error(result.sum_TD, sum.detach()) < 1e-6);
        CHECK(relative_error(result.out_TD, expected.detach()) < 1e-5);
        at::Tensor dweight = at::ones({size.width});  // gradients are added to what is there
        const at::Tensor dsum = rms_norm_backward(dout, extra, result, weight, dweight);
        const std::vector<at::Tensor> wanted = gradients(expected, dout, {sum, scale});
        CHECK(relative_error(dsum, with_extra ? wanted[0] + extra : wanted[0]) < 1e-4);
        CHECK(relative_error(dweight, wanted[1] + 1) < 1e-4);
      }
    }
  }
}

TEST_CASE("kernels: rms_norm scales by the weight plus its offset") {
  for (const std::int64_t width : {1, 7, 768}) {
    const at::Tensor x = random_tensor({70, width}, 15);
    const at::Tensor weight = random_tensor({width}, 16);
    const at::Tensor dout = random_tensor({70, width}, 17);
    const at::Tensor sum = double_leaf(x);
    const at::Tensor scale = double_leaf(weight);
    const at::Tensor expected = plain_norm(sum, scale, 1);
    const RmsNorm result = rms_norm_forward(x, {}, weight, eps, 1);
    CHECK(relative_error(result.out_TD, expected.detach()) < 1e-5);
    at::Tensor dweight = at::zeros({width});
    const at::Tensor dsum = rms_norm_backward(dout, {}, result, weight, dweight, 1);
    const std::vector<at::Tensor> wanted = gradients(expected, dout, {sum, scale});
    // A single value has no direction left to change: its gradient is what eps leaves of it.
    const double size = width == 1 ? (dout * weight).abs().max().item<double>() : dsum.abs().max().item<double>();
    CHECK((dsum - wanted[0]).abs().max().item<double>() < 1e-4 * size);
    CHECK(relative_error(dweight, wanted[1]) < 1e-4);
  }
}

TEST_CASE("kernels: rms_norm without a weight gradient gives the same input gradient") {
  const at::Tensor x = random_tensor({9, 33}, 6);
  const at::Tensor weight = random_tensor({33}, 7);
  const at::Tensor dout = random_tensor({9, 33}, 8);
  const RmsNorm result = rms_norm_forward(x, {}, weight, eps);
  at::Tensor none;
  at::Tensor dweight = at::zeros({33});
  CHECK(same_bits(rms_norm_backward(dout, {}, result, weight, none),
                  rms_norm_backward(dout, {}, result, weight, dweight)));
}

TEST_CASE("kernels: a row of rms_norm has the same bits alone and among others, with one thread and with two") {
  const at::Tensor x = random_tensor({200, 100}, 9);
  const at::Tensor residual = random_tensor({200, 100}, 10);
  const at::Tensor weight = random_tensor({100}, 11);
  const at::Tensor dout = random_tensor({200, 100}, 12);
  const auto compute = [&] {
    const RmsNorm result = rms_norm_forward(x, residual, weight, eps);
    at::Tensor dweight = at::zeros({100});
    const at::Tensor dsum = rms_norm_backward(dout, {}, result, weight, dweight);
    return std::vector<at::Tensor>{result.out_TD, result.rstd_T, dsum, dweight};
  };
  const auto one = with_threads(1, compute);
  const auto two = with_threads(2, compute);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
  const RmsNorm alone = rms_norm_forward(x.slice(0, 77, 78), residual.slice(0, 77, 78), weight, eps);
  CHECK(same_bits(alone.out_TD, one[0].slice(0, 77, 78)));
}

TEST_CASE("kernels: every variant of rms_norm is stable and close to the others") {
  const std::int64_t width = 100;
  const at::Tensor x = random_tensor({20, width}, 13);
  const at::Tensor weight = random_tensor({width}, 14);
  at::Tensor narrowest;
  for (const auto& kernel : HONE_VARIANTS(rms_norm_rows)) {
    const auto compute = [&] {
      at::Tensor out = at::empty({20, width});
      at::Tensor rstd = at::empty({20});
      kernel(x.const_data_ptr<float>(), nullptr, weight.const_data_ptr<float>(), 0, 1e-5F, 20, width, nullptr,
             out.data_ptr<float>(), rstd.data_ptr<float>());
      return out;
    };
    const at::Tensor out = compute();
    CHECK(same_bits(out, compute()));
    if (!narrowest.defined()) narrowest = out;
    CHECK(relative_error(out, narrowest) < 1e-6);
  }
}
