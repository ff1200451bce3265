#include "kernels/lm_head/lm_head.h"

#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <limits>

#undef CHECK
#include <doctest/doctest.h>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/lm_head/kept_logits.h"
#include "kernels/lm_head/row_cpu.h"

using namespace hone;
using namespace hone::kernels;

namespace {

at::Tensor random(at::IntArrayRef sizes, std::uint64_t seed) {
  return at::randn(sizes, at::make_generator<at::CPUGeneratorImpl>(seed), at::kFloat);
}

double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  return ((got.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() &&
         std::memcmp(a.const_data_ptr<float>(), b.const_data_ptr<float>(), static_cast<std::size_t>(a.numel()) * 4) == 0;
}

/// The same head in plain operators and float64.
struct Plain {
  at::Tensor hidden, weight, logprob, entropy;
  Plain(const at::Tensor& hidden_MD, const at::Tensor& weight_VD, const at::Tensor& target_M, double inverse_temperature)
      : hidden(hidden_MD.to(at::kDouble).requires_grad_(true)), weight(weight_VD.to(at::kDouble).requires_grad_(true)) {
    const at::Tensor log_p = at::log_softmax(at::matmul(hidden, weight.t()) * inverse_temperature, 1);
    logprob = log_p.gather(1, target_M.unsqueeze(1)).squeeze(1);
    entropy = -(log_p.exp() * log_p).sum(1);
  }
};

struct Case {
  std::int64_t rows, width, vocabulary;
};

at::Tensor targets(const Case& c) {
  return at::randint(c.vocabulary, {c.rows}, at::make_generator<at::CPUGeneratorImpl>(9), at::kLong);
}

}  // namespace

TEST_CASE("kernels: the language-model head agrees with plain operators and their autograd") {
  for (const int team : {1, 2}) {
    set_threads(team);
    // The last case has more rows than one chunk of logits holds.
    for (const Case& c : {Case{1, 7, 5}, Case{6, 33, 100}, Case{37, 64, 1000}, Case{150, 16, 70001}}) {
      for (const double inverse_temperature : {1.0, 1 / 0.7}) {
        CAPTURE(c.vocabulary);
        const at::Tensor hidden = random({c.rows, c.width}, 1);
        const at::Tensor weight = random({c.vocabulary, c.width}, 2) * (2 / std::sqrt(static_cast<double>(c.width)));
        const at::Tensor target = targets(c);
        const at::Tensor dlogprob = random({c.rows}, 3);
        const at::Tensor dentropy = random({c.rows}, 4);
        PackedWeight packed(c.vocabulary, c.width, Compute::float32, true);
        packed.refresh(weight);

        const Plain plain(hidden, weight, target, inverse_temperature);
        const TokenStatistics got = lm_head_forward(hidden, packed, target, inverse_temperature, true);
        CHECK((got.logprob_M.to(at::kDouble) - plain.logprob).abs().max().item<double>() < 1e-5);
        CHECK((got.entropy_M.to(at::kDouble) - plain.entropy).abs().max().item<double>() < 1e-5);
        const TokenStatistics without = lm_head_forward(hidden, packed, target, inverse_temperature, false);
        CHECK(same_bits(without.logprob_M, got.logprob_M));
        CHECK(!without.entropy_M.defined());

        (plain.logprob * dlogprob + plain.entropy * dentropy).sum().backward();
        at::Tensor dweight = at::ones_like(weight);
        const at::Tensor dhidden =
            lm_head_backward(hidden, packed, target, inverse_temperature, got, dlogprob, dentropy, dweight);
        CHECK(relative_error(dhidden, plain.hidden.grad()) < 1e-4);
        CHECK(relative_error(dweight - 1, plain.weight.grad()) < 1e-4);

        const Plain again(hidden, weight, target, inverse_temperature);
        (again.logprob * dlogprob).sum().backward();
        at::Tensor none;
        const at::Tensor dhidden_logprob =
            lm_head_backward(hidden, packed, target, inverse_temperature, without, dlogprob, {}, none);
        CHECK(relative_error(dhidden_logprob, again.hidden.grad()) < 1e-4);
      }
    }
  }
  set_threads(1);
}

TEST_CASE("kernels: log-probabilities have the bits that sampling computes from plain logits, in any batch") {
  const Case c{300, 48, 33333};
  const at::Tensor target = targets(c);
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    const at::Tensor hidden = random({c.rows, c.width}, 1);
    PackedWeight packed(c.vocabulary, c.width, compute, true);
    packed.refresh(random({c.vocabulary, c.width}, 2));
    set_threads(2);
    const TokenStatistics all = lm_head_forward(hidden, packed, target, 1.25, true);
    set_threads(1);
    for (const auto& [begin, count] : {std::pair{0, 1}, std::pair{1, 5}, std::pair{240, 60}}) {
      const at::Tensor rows = hidden.narrow(0, begin, count);
      const at::Tensor logits = lm_head_logits(rows, packed);
      const TokenStatistics part = lm_head_forward(rows, packed, target.narrow(0, begin, count), 1.25, true);
      CHECK(same_bits(part.logprob_M, all.logprob_M.narrow(0, begin, count)));
      CHECK(same_bits(part.entropy_M, all.entropy_M.narrow(0, begin, count)));
      for (std::int64_t r = 0; r < count; ++r) {
        const float* row = logits.const_data_ptr<float>() + r * c.vocabulary;
        const float lse = HONE_SELECT(row_log_sum_exp)(row, c.vocabulary, 1.25F);
        const std::int64_t id = target[begin + r].item<std::int64_t>();
        CHECK(HONE_SELECT(row_logprob)(row, id, 1.25F, lse) == part.logprob_M[r].item<float>());
      }
    }
  }
}

TEST_CASE("kernels: a bfloat16 head gives the statistics and gradients of its rounded operands") {
  const Case c{33, 65, 999};
  const at::Tensor target = targets(c);
  const at::Tensor hidden = random({c.rows, c.width}, 1).to(at::kBFloat16).to(at::kFloat);
  const at::Tensor weight = (random({c.vocabulary, c.width}, 2) * 0.2).to(at::kBFloat16).to(at::kFloat);
  PackedWeight packed(c.vocabulary, c.width, Compute::bfloat16, true);
  packed.refresh(weight);
  const Plain plain(hidden, weight, target, 1.0);
  const TokenStatistics got = lm_head_forward(hidden, packed, target, 1.0, true);
  CHECK((got.logprob_M.to(at::kDouble) - plain.logprob).abs().max().item<double>() < 1e-5);
  CHECK((got.entropy_M.to(at::kDouble) - plain.entropy).abs().max().item<double>() < 1e-5);
  plain.logprob.sum().backward();
  at::Tensor dweight = at::zeros_like(weight);
  const at::Tensor dhidden =
      lm_head_backward(hidden, packed, target, 1.0, got, at::ones({c.rows}), {}, dweight);
  CHECK(relative_error(dhidden, plain.hidden.grad()) < 4e-3);  // dlogits are rounded to 8 bits
  CHECK(relative_error(dweight, plain.weight.grad()) < 4e-3);
}

TEST_CASE("kernels: the row log-sum-exp of every variant is right and NaN shows") {
  const auto check = [](float (*log_sum_exp)(const float*, std::int64_t, float)) {
    for (const std::int64_t count : {1, 2, 15, 17, 64, 65, 1000, 50257}) {
      const at::Tensor logits = random({count}, 5) * 6;
      const double expected = at::logsumexp(logits.to(at::kDouble) * 1.5, 0).item<double>();
      CHECK(log_sum_exp(logits.const_data_ptr<float>(), count, 1.5F) == doctest::Approx(expected).epsilon(1e-6));
      logits[count - 1] = std::numeric_limits<float>::quiet_NaN();
      CHECK(std::isnan(log_sum_exp(logits.const_data_ptr<float>(), count, 1.5F)));
    }
    const float masked[] = {-std::numeric_limits<float>::infinity(), 1.0F, 1.0F};
    CHECK(log_sum_exp(masked, 3, 1.0F) == doctest::Approx(1.0 + std::log(2.0)));
  };
  check(portable::row_log_sum_exp);
  if (isa() >= Isa::avx2) check(avx2::row_log_sum_exp);
  if (isa() >= Isa::avx512) check(avx512::row_log_sum_exp);
}

TEST_CASE("kernels: peaked rows have entropy 0 and finite gradients") {
  const at::Tensor hidden = at::ones({1, 1});
  at::Tensor weight = at::full({40, 1}, -1000.0F);
  weight[7] = 1000.0F;
  PackedWeight packed(40, 1, Compute::float32, true);
  packed.refresh(weight);
  const at::Tensor target = at::full({1}, 7, at::kLong);
  const TokenStatistics got = lm_head_forward(hidden, packed, target, 1.0, true);
  CHECK(got.logprob_M.item<float>() == 0.0F);
  CHECK(got.entropy_M.item<float>() == 0.0F);
  at::Tensor dweight = at::zeros({40, 1});
  const at::Tensor dhidden =
      lm_head_backward(hidden, packed, target, 1.0, got, at::ones({1}), at::ones({1}), dweight);
  CHECK(dhidden.item<float>() == 0.0F);
  CHECK(dweight.abs().max().item<float>() == 0.0F);
}

TEST_CASE("kernels: logits that were kept give the bits of those that are computed again") {
  // 64 MiB hold the logits of all rows, then of the last 238 of 300 and 239 of 301.
  for (const Case& c : {Case{37, 24, 1000}, Case{300, 8, 70001}, Case{301, 8, 70001}}) {
    for (const double soft_cap : {0.0, 2.5}) {
      for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
        CAPTURE(c.rows);
        CAPTURE(soft_cap);
        const at::Tensor hidden = random({c.rows, c.width}, 1), target = targets(c);
        const at::Tensor dlogprob = random({c.rows}, 3), dentropy = random({c.rows}, 4);
        const LogitRule rule{random({c.vocabulary}, 5), soft_cap};
        PackedWeight packed(c.vocabulary, c.width, compute, true);
        packed.refresh(random({c.vocabulary, c.width}, 2));
        at::Tensor dweight[2], dbias[2], dhidden[2];
        for (at::Tensor& d : dweight) d = at::ones({c.vocabulary, c.width});
        for (at::Tensor& d : dbias) d = at::ones({c.vocabulary});
        const TokenStatistics plain = lm_head_forward(hidden, packed, target, 0.8, true, rule);
        dhidden[0] = lm_head_backward(hidden, packed, target, 0.8, plain, dlogprob, dentropy, dweight[0], rule, &dbias[0]);
        KeptLogits kept;
        const TokenStatistics got = lm_head_forward(hidden, packed, target, 0.8, true, rule, kept);
        CHECK(kept.rows() == (c.rows == 37 ? 37 : c.rows == 300 ? 238 : 239));
        dhidden[1] = lm_head_backward(hidden, packed, target, 0.8, got, dlogprob, dentropy, dweight[1], rule, &dbias[1], kept);
        CHECK(same_bits(got.logprob_M, plain.logprob_M));
        CHECK(same_bits(got.entropy_M, plain.entropy_M));
        CHECK(same_bits(dhidden[1], dhidden[0]));
        CHECK(same_bits(dweight[1], dweight[0]));
        CHECK(same_bits(dbias[1], dbias[0]));
      }
    }
  }
}

TEST_CASE("kernels: the matrix of all logits is never in memory") {
  const Case c{8192, 4, 32000};  // 1 GB of logits
  const at::Tensor hidden = random({c.rows, c.width}, 1);
  PackedWeight packed(c.vocabulary, c.width, Compute::float32, true);
  const at::Tensor weight = random({c.vocabulary, c.width}, 2);
  packed.refresh(weight);
  rusage before;
  rusage after;
  getrusage(RUSAGE_SELF, &before);
  const TokenStatistics got = lm_head_forward(hidden, packed, targets(c), 1.0, false);
  at::Tensor dweight = at::zeros({c.vocabulary, c.width});
  lm_head_backward(hidden, packed, targets(c), 1.0, got, at::ones({c.rows}), {}, dweight);
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 200 * 1024);  // KiB
}

TEST_CASE("kernels: the head names the row of a target outside the vocabulary and accepts no rows") {
  PackedWeight packed(10, 4, Compute::float32, true);
  packed.refresh(at::ones({10, 4}));
  const at::Tensor target = at::tensor({3, 10}, at::kLong);
  try {
    lm_head_forward(at::ones({2, 4}), packed, target, 1.0, false);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK(std::string(error.what()).find("row 1") != std::string::npos);
  }
  const TokenStatistics none = lm_head_forward(at::ones({0, 4}), packed, at::empty({0}, at::kLong), 1.0, true);
  CHECK(none.logprob_M.size(0) == 0);
  at::Tensor dweight = at::zeros({10, 4});
  const at::Tensor dhidden = lm_head_backward(at::ones({0, 4}), packed, at::empty({0}, at::kLong), 1.0, none,
                                              at::empty({0}), {}, dweight);
  CHECK(dhidden.sizes() == at::IntArrayRef({0, 4}));
}
