#include "kernels/layer_norm/layer_norm.h"

#include <vector>

#include "kernels/layer_norm/layer_norm_cpu.h"
#include "kernels/oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

constexpr double eps = 1e-5;

at::Tensor plain_norm(const at::Tensor& sum, const at::Tensor& weight, const at::Tensor& bias) {
  return at::layer_norm(sum, {sum.size(1)}, weight, bias, eps);
}

struct Size {
  std::int64_t rows;
  std::int64_t width;
};

}  // namespace

TEST_CASE("kernels: layer_norm with and without residual and bias equals the plain operator, forward and backward") {
  for (const Size size : {Size{0, 8}, Size{3, 7}, Size{5, 64}, Size{130, 100}, Size{65, 257}, Size{64, 768}}) {
    for (const bool with_residual : {false, true}) {
      for (const bool with_bias : {false, true}) {
        CAPTURE(size.rows);
        CAPTURE(size.width);
        const at::Tensor x = random_tensor({size.rows, size.width}, 1) + 3.0;
        const at::Tensor residual = with_residual ? random_tensor({size.rows, size.width}, 2) : at::Tensor();
        const at::Tensor weight = random_tensor({size.width}, 3);
        const at::Tensor bias = with_bias ? random_tensor({size.width}, 4) : at::Tensor();
        const at::Tensor dout = random_tensor({size.rows, size.width}, 5);
        const at::Tensor extra = with_residual ? random_tensor({size.rows, size.width}, 6) : at::Tensor();
        const at::Tensor sum = double_leaf(with_residual ? x + residual : x);
        const at::Tensor scale = double_leaf(weight);
        const at::Tensor shift = double_leaf(with_bias ? bias : at::zeros({size.width}));
        const at::Tensor expected = plain_norm(sum, scale, shift);

        const LayerNorm result = layer_norm_forward(x, residual, weight, bias, eps);
        CHECK(relative_error(result.sum_TD, sum.detach()) < 1e-6);
        CHECK(relative_error(result.out_TD, expected.detach()) < 1e-5);
        at::Tensor dweight = at::ones({size.width});  // gradients are added to what is there
        at::Tensor dbias = at::ones({size.width});
        const at::Tensor dsum = layer_norm_backward(dout, extra, result, weight, dweight, dbias);
        const std::vector<at::Tensor> wanted = gradients(expected, dout, {sum, scale, shift});
        CHECK(relative_error(dsum, with_residual ? wanted[0] + extra : wanted[0]) < 1e-4);
        CHECK(relative_error(dweight, wanted[1] + 1) < 1e-4);
        CHECK(relative_error(dbias, wanted[2] + 1) < 1e-4);
      }
    }
  }
}

TEST_CASE("kernels: layer_norm of one value is its bias, and rows far from zero lose nothing") {
  const at::Tensor one = random_tensor({4, 1}, 7);
  const at::Tensor weight = at::full({1}, 2.0F);
  const at::Tensor bias = at::full({1}, 0.5F);
  const LayerNorm result = layer_norm_forward(one, {}, weight, bias, eps);
  CHECK(same_bits(result.out_TD, at::full({4, 1}, 0.5F)));
  at::Tensor none;
  CHECK(same_bits(layer_norm_backward(at::ones({4, 1}), {}, result, weight, none, none), at::zeros({4, 1})));

  const at::Tensor far = random_tensor({9, 300}, 8) + 1000.0;
  const LayerNorm normed = layer_norm_forward(far, {}, at::ones({300}), {}, eps);
  const at::Tensor expected = plain_norm(far.to(at::kDouble), {}, {});
  CHECK(relative_error(normed.out_TD, expected) < 1e-4);  // float32 holds 1000 + x to 3e-5
  CHECK(relative_error(normed.mean_T, far.to(at::kDouble).mean(1)) < 1e-6);
}

TEST_CASE("kernels: layer_norm without weight gradients gives the same input gradient") {
  const at::Tensor x = random_tensor({70, 33}, 9);
  const at::Tensor weight = random_tensor({33}, 10);
  const at::Tensor dout = random_tensor({70, 33}, 11);
  const LayerNorm result = layer_norm_forward(x, {}, weight, {}, eps);
  at::Tensor none;
  at::Tensor dweight = at::zeros({33});
  at::Tensor dbias = at::zeros({33});
  const at::Tensor plain = layer_norm_backward(dout, {}, result, weight, none, none);
  CHECK(same_bits(plain, layer_norm_backward(dout, {}, result, weight, dweight, dbias)));
  CHECK(same_bits(plain, layer_norm_backward(dout, {}, result, weight, none, dbias)));
}

TEST_CASE("kernels: a row of layer_norm has the same bits alone and among others, with one thread and with two") {
  const at::Tensor x = random_tensor({200, 100}, 12);
  const at::Tensor residual = random_tensor({200, 100}, 13);
  const at::Tensor weight = random_tensor({100}, 14);
  const at::Tensor bias = random_tensor({100}, 15);
  const at::Tensor dout = random_tensor({200, 100}, 16);
  at::Tensor none;
  const auto compute = [&] {
    const LayerNorm result = layer_norm_forward(x, residual, weight, bias, eps);
    at::Tensor dweight = at::zeros({100});
    at::Tensor dbias = at::zeros({100});
    const at::Tensor dsum = layer_norm_backward(dout, {}, result, weight, dweight, dbias);
    return std::vector<at::Tensor>{result.out_TD, result.mean_T, result.rstd_T, dsum, dweight, dbias};
  };
  const auto one = with_threads(1, compute);
  const auto two = with_threads(2, compute);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
  const LayerNorm alone = layer_norm_forward(x.slice(0, 77, 78), residual.slice(0, 77, 78), weight, bias, eps);
  CHECK(same_bits(alone.out_TD, one[0].slice(0, 77, 78)));
  CHECK(same_bits(layer_norm_backward(dout.slice(0, 77, 78), {}, alone, weight, none, none), one[3].slice(0, 77, 78)));
}

TEST_CASE("kernels: every variant of layer_norm is stable and close to the others") {
  const std::int64_t width = 100;
  const at::Tensor x = random_tensor({20, width}, 17);
  const at::Tensor weight = random_tensor({width}, 18);
  at::Tensor narrowest;
  for (const auto& kernel : HONE_VARIANTS(layer_norm_rows)) {
    const auto compute = [&] {
      at::Tensor out = at::empty({20, width});
      at::Tensor mean = at::empty({20});
      at::Tensor rstd = at::empty({20});
      kernel(x.const_data_ptr<float>(), nullptr, weight.const_data_ptr<float>(), nullptr, 1e-5F, 20, width, nullptr,
             out.data_ptr<float>(), mean.data_ptr<float>(), rstd.data_ptr<float>());
      return out;
    };
    const at::Tensor out = compute();
    CHECK(same_bits(out, compute()));
    if (!narrowest.defined()) narrowest = out;
    CHECK(relative_error(out, narrowest) < 1e-6);
  }
}
