#include "kernels/pooling/pooling.h"

#include <vector>

#include "kernels/oracle.h"
#include "kernels/pooling/pooling_cpu.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

constexpr Pooling kinds[] = {Pooling::mean, Pooling::max, Pooling::first, Pooling::last, Pooling::weighted_mean};

at::Tensor plain_pool(const at::Tensor& x, const at::Tensor& start, Pooling pooling) {
  std::vector<at::Tensor> outs;
  for (std::int64_t s = 0; s + 1 < start.size(0); ++s) {
    const at::Tensor rows = x.slice(0, start[s].item<std::int64_t>(), start[s + 1].item<std::int64_t>());
    const std::int64_t n = rows.size(0);
    switch (pooling) {
      case Pooling::mean: outs.push_back(rows.mean(0)); break;
      case Pooling::max: outs.push_back(std::get<0>(rows.max(0))); break;
      case Pooling::first: outs.push_back(rows[0]); break;
      case Pooling::last: outs.push_back(rows[n - 1]); break;
      case Pooling::weighted_mean: {
        const at::Tensor weight = at::arange(1, n + 1).to(x.scalar_type()).unsqueeze(1);
        outs.push_back((rows * weight).sum(0) / weight.sum());
        break;
      }
    }
  }
  return at::stack(outs, 0);
}

}  // namespace

TEST_CASE("kernels: every pooling equals plain operators, forward and backward") {
  const at::Tensor start = int_tensor({0, 1, 6, 38, 300});
  for (const std::int64_t width : {1, 7, 16, 33, 384, 700}) {
    const at::Tensor x = random_tensor({300, width}, 1);
    const at::Tensor dout = random_tensor({4, width}, 2);
    for (const Pooling pooling : kinds) {
      CAPTURE(width);
      CAPTURE(static_cast<int>(pooling));
      const at::Tensor leaf = double_leaf(x);
      const at::Tensor expected = plain_pool(leaf, start, pooling);
      const Pooled pooled = pool_forward(x, start, pooling);
      CHECK(relative_error(pooled.out_SD, expected.detach()) < 1e-5);
      CHECK(pooled.row_SD.defined() == (pooling == Pooling::max));
      const at::Tensor dx = pool_backward(dout, start, pooling, pooled);
      CHECK(relative_error(dx, gradients(expected, dout, {leaf})[0]) < 1e-5);
    }
  }
}

TEST_CASE("kernels: a pooled sequence has the same bits alone and among others, with one thread and with two") {
  const at::Tensor start = int_tensor({0, 40, 41, 140});
  const at::Tensor x = random_tensor({140, 300}, 3);
  const at::Tensor dout = random_tensor({3, 300}, 4);
  for (const Pooling pooling : kinds) {
    CAPTURE(static_cast<int>(pooling));
    const auto compute = [&] {
      const Pooled pooled = pool_forward(x, start, pooling);
      return std::pair(pooled.out_SD, pool_backward(dout, start, pooling, pooled));
    };
    const auto [one, done] = with_threads(1, compute);
    const auto [two, dtwo] = with_threads(2, compute);
    CHECK(same_bits(one, two));
    CHECK(same_bits(done, dtwo));
    const Pooled alone = pool_forward(x.slice(0, 41).contiguous(), int_tensor({0, 99}), pooling);
    CHECK(same_bits(alone.out_SD[0], one[2]));
    CHECK(same_bits(pool_backward(dout.slice(0, 2).contiguous(), int_tensor({0, 99}), pooling, alone),
                    done.slice(0, 41)));
  }
}

TEST_CASE("kernels: the first of equal maxima gets the gradient, and a NaN is never hidden") {
  at::Tensor x = at::zeros({4, 20});
  x[1][3] = 2;
  x[2][3] = 2;
  x[2][17] = NAN;
  x[3][17] = 5;
  x[1][19] = -1;
  const at::Tensor start = int_tensor({0, 4});
  const Pooled pooled = pool_forward(x, start, Pooling::max);
  CHECK(pooled.row_SD[0][3].item<int>() == 1);
  CHECK(pooled.row_SD[0][19].item<int>() == 0);
  CHECK(std::isnan(pooled.out_SD[0][17].item<float>()));
  const at::Tensor dx = pool_backward(at::ones({1, 20}), start, Pooling::max, pooled);
  CHECK(dx.select(1, 3).equal(at::tensor({0.0F, 1.0F, 0.0F, 0.0F})));
  CHECK(dx.sum().item<float>() == 20);
}

TEST_CASE("kernels: pooling of no sequence gives none") {
  for (const Pooling pooling : kinds) {
    const Pooled pooled = pool_forward(at::zeros({0, 8}), int_tensor({0}), pooling);
    CHECK(pooled.out_SD.sizes() == at::IntArrayRef({0, 8}));
    CHECK(pool_backward(pooled.out_SD, int_tensor({0}), pooling, pooled).sizes() == at::IntArrayRef({0, 8}));
  }
}

TEST_CASE("kernels: every variant of pooling is stable and close to the others") {
  const at::Tensor x = random_tensor({50, 45}, 5);
  at::Tensor narrowest;
  for (const auto& kernel : HONE_VARIANTS(pool_mean)) {
    const auto compute = [&] {
      at::Tensor out = at::empty({45});
      kernel(x.const_data_ptr<float>(), 45, 50, 45, true, out.data_ptr<float>());
      return out;
    };
    const at::Tensor out = compute();
    CHECK(same_bits(out, compute()));
    if (!narrowest.defined()) narrowest = out;
    CHECK(relative_error(out, narrowest) < 1e-6);
  }
}
