#include "kernels/dropout/dropout.h"

#include <cmath>

#include "kernels/dropout/dropout_cpu.h"
#include "kernels/oracle.h"

namespace {

namespace kernels = hone::kernels;
using namespace hone::test;

/// The mask by base/random's Philox.
at::Tensor expected_dropout(const at::Tensor& x, double probability, std::uint64_t key) {
  at::Tensor out = at::empty_like(x);
  const float scale = static_cast<float>(1.0 / (1.0 - probability));
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    const auto block = static_cast<std::uint64_t>(i / 4);
    const auto words = hone::philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                                    {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    const bool kept = words[static_cast<std::size_t>(i % 4)] >= std::floor(probability * 4294967296.0);
    out.data_ptr<float>()[i] = kept ? x.const_data_ptr<float>()[i] * scale : 0.0F;
  }
  return out;
}

}  // namespace

TEST_CASE("kernels: dropout's mask is Philox of key and element, whatever the size") {
  for (const std::int64_t count : {0, 1, 3, 4, 63, 64, 65, 1000, 9001}) {
    CAPTURE(count);
    const at::Tensor x = random_tensor({count}, 1);
    CHECK(same_bits(kernels::dropout(x, 0.3, 0x123456789abcdefULL), expected_dropout(x, 0.3, 0x123456789abcdefULL)));
  }
}

TEST_CASE("kernels: every variant of dropout draws the same mask, also far into a stream") {
  const at::Tensor x = random_tensor({100}, 2);
  const std::int64_t block = (std::int64_t{1} << 32) - 5;  // the upper half of the counter changes inside
  for (const auto& kernel : HONE_VARIANTS(dropout_range)) {
    at::Tensor out = at::empty({100});
    kernel(x.const_data_ptr<float>(), block, 100, 99, 0x80000000U, 2.0F, out.data_ptr<float>());
    for (std::int64_t i = 0; i < 100; ++i) {
      const auto counter = static_cast<std::uint64_t>(block + i / 4);
      const auto words =
          hone::philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}, {99, 0});
      const bool kept = words[static_cast<std::size_t>(i % 4)] >= 0x80000000U;
      CHECK(out[i].item<float>() == (kept ? 2.0F * x[i].item<float>() : 0.0F));
    }
  }
}

TEST_CASE("kernels: dropout keeps the stated share, the expectation, and everything at probability 0") {
  const at::Tensor ones = at::ones({300, 1000});
  for (const double probability : {0.1, 0.5, 0.9}) {
    CAPTURE(probability);
    const at::Tensor out = kernels::dropout(ones, probability, 7);
    const double dropped = (out == 0).to(at::kDouble).mean().item<double>();
    CHECK(std::abs(dropped - probability) < 5 * std::sqrt(probability * (1 - probability) / 300000));
    CHECK(out.to(at::kDouble).mean().item<double>() == doctest::Approx(1.0).epsilon(0.02));
  }
  CHECK(same_bits(kernels::dropout(ones, 0.0, 7), ones));
  CHECK_FALSE(same_bits(kernels::dropout(ones, 0.5, 7), kernels::dropout(ones, 0.5, 8)));
}

TEST_CASE("kernels: dropout has the same bits with one thread and with two, and drops what is not finite") {
  const at::Tensor x = random_tensor({50, 997}, 3);
  const auto compute = [&] { return kernels::dropout(x, 0.2, 11); };
  CHECK(same_bits(with_threads(1, compute), with_threads(2, compute)));
  const at::Tensor kept = kernels::dropout(at::ones({64}), 0.5, 12) != 0;
  CHECK(at::equal(at::isnan(kernels::dropout(at::full({64}, NAN), 0.5, 12)), kept));
}
