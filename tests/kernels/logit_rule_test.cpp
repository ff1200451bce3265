#include <cmath>
#include <vector>

#include "kernels/lm_head/lm_head.h"
#include "kernels/lm_head/lm_head_cpu.h"
#include "kernels/lm_head/row_cpu.h"
#include "kernels/oracle.h"

namespace {

using namespace hone;
using namespace hone::kernels;
using namespace hone::test;

constexpr double inverse_temperature = 1 / 0.7;

struct Case {
  std::int64_t rows, width, vocabulary;
};
// The last one has more rows than one chunk of logits holds.
const std::vector<Case> cases{{1, 1, 5}, {6, 7, 100}, {37, 64, 1000}, {9, 768, 333}, {150, 16, 70001}};

/// The head of some case: inputs, and the same in plain operators and float64.
struct Head {
  at::Tensor hidden, weight, bias, target, dlogprob, dentropy;
  PackedWeight packed;
  LogitRule rule;
  at::Tensor hidden_leaf, weight_leaf, bias_leaf, logits, logprob, entropy;

  Head(const Case& c, bool with_bias, double soft_cap)
      : hidden(random_tensor({c.rows, c.width}, 1)),
        weight(random_tensor({c.vocabulary, c.width}, 2, 2 / std::sqrt(static_cast<double>(c.width)))),
        bias(random_tensor({c.vocabulary}, 3)),
        target((random_tensor({c.rows}, 4).abs() * 1000).to(at::kLong).remainder(c.vocabulary)),
        dlogprob(random_tensor({c.rows}, 5)),
        dentropy(random_tensor({c.rows}, 6)),
        packed(c.vocabulary, c.width, Compute::float32, true),
        rule{with_bias ? bias : at::Tensor(), soft_cap},
        hidden_leaf(double_leaf(hidden)),
        weight_leaf(double_leaf(weight)),
        bias_leaf(double_leaf(with_bias ? bias : at::zeros({c.vocabulary}))) {
    packed.refresh(weight);
    logits = at::matmul(hidden_leaf, weight_leaf.t()) + bias_leaf;
    if (soft_cap != 0) logits = soft_cap * at::tanh(logits / soft_cap);
    const at::Tensor log_p = at::log_softmax(logits * inverse_temperature, 1);
    logprob = log_p.gather(1, target.unsqueeze(1)).squeeze(1);
    entropy = -(log_p.exp() * log_p).sum(1);
  }
};

double largest_difference(const at::Tensor& got, const at::Tensor& expected) {
  return (got.to(at::kDouble) - expected.detach()).abs().max().item<double>();
}

double norm_error(const at::Tensor& got, const at::Tensor& expected) {
  return ((got.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

}  // namespace

TEST_CASE("kernels: a head with bias and soft cap agrees with plain operators and their autograd") {
  for (const Case& c : cases) {
    for (const bool with_bias : {false, true}) {
      for (const double soft_cap : {0.0, 3.0, 30.0}) {
        CAPTURE(c.vocabulary);
        CAPTURE(with_bias);
        CAPTURE(soft_cap);
        const Head head(c, with_bias, soft_cap);
        const TokenStatistics got =
            lm_head_forward(head.hidden, head.packed, head.target, inverse_temperature, true, head.rule);
        CHECK(largest_difference(got.logprob_M, head.logprob) < 1e-5);
        CHECK(relative_error(got.entropy_M, head.entropy.detach()) < 1e-5);
        CHECK(largest_difference(lm_head_logits(head.hidden, head.packed, head.rule), head.logits) < 1e-5);

        const at::Tensor loss = head.logprob * head.dlogprob + head.entropy * head.dentropy;
        const std::vector<at::Tensor> wanted =
            gradients(loss, at::ones({c.rows}), {head.hidden_leaf, head.weight_leaf, head.bias_leaf});
        at::Tensor dweight = at::ones_like(head.weight);
        at::Tensor dbias = at::ones_like(head.bias);
        const at::Tensor dhidden =
            lm_head_backward(head.hidden, head.packed, head.target, inverse_temperature, got, head.dlogprob,
                             head.dentropy, dweight, head.rule, &dbias);
        CHECK(norm_error(dhidden, wanted[0]) < 1e-4);
        CHECK(norm_error(dweight - 1, wanted[1]) < 1e-4);
        CHECK(norm_error(dbias - 1, wanted[2]) < 1e-4);
      }
    }
  }
}

TEST_CASE("kernels: a head without a rule has the bits of a head with an empty one") {
  const Head head({37, 64, 1000}, false, 0);
  const TokenStatistics plain = lm_head_forward(head.hidden, head.packed, head.target, 1.0, true);
  const TokenStatistics zero = lm_head_forward(head.hidden, head.packed, head.target, 1.0, true,
                                               {at::zeros({1000}), 0});
  CHECK(same_bits(plain.logprob_M, zero.logprob_M));
  CHECK(same_bits(plain.entropy_M, zero.entropy_M));
  CHECK(same_bits(lm_head_logits(head.hidden, head.packed), linear_forward(head.hidden, head.packed)));
}

TEST_CASE("kernels: capped log-probabilities have the bits that sampling computes from logits, in any batch") {
  const Case c{300, 48, 33333};
  Head head(c, true, 5.0);
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    PackedWeight packed(c.vocabulary, c.width, compute, true);
    packed.refresh(head.weight);
    const auto forward = [&](const at::Tensor& hidden, const at::Tensor& target) {
      return lm_head_forward(hidden, packed, target, 1.25, true, head.rule);
    };
    const auto run = [&] { return forward(head.hidden, head.target); };
    const TokenStatistics all = with_threads(2, run);
    CHECK(same_bits(all.logprob_M, with_threads(1, run).logprob_M));
    for (const auto& [begin, count] : {std::pair{0, 1}, std::pair{1, 5}, std::pair{240, 60}}) {
      const at::Tensor rows = head.hidden.narrow(0, begin, count);
      const TokenStatistics part = forward(rows, head.target.narrow(0, begin, count));
      CHECK(same_bits(part.logprob_M, all.logprob_M.narrow(0, begin, count)));
      CHECK(same_bits(part.entropy_M, all.entropy_M.narrow(0, begin, count)));
      const at::Tensor logits = lm_head_logits(rows, packed, head.rule);
      for (std::int64_t r = 0; r < count; ++r) {
        const float* row = logits.const_data_ptr<float>() + r * c.vocabulary;
        const float lse = HONE_SELECT(row_log_sum_exp)(row, c.vocabulary, 1.25F);
        const std::int64_t id = head.target[begin + r].item<std::int64_t>();
        CHECK(HONE_SELECT(row_logprob)(row, id, 1.25F, lse) == part.logprob_M[r].item<float>());
      }
    }
  }
}

TEST_CASE("kernels: gradients through bias and cap have the same bits for every number of threads") {
  const Head head({150, 16, 70001}, true, 5.0);
  const auto run = [&] {
    const TokenStatistics got = lm_head_forward(head.hidden, head.packed, head.target, 1.0, true, head.rule);
    at::Tensor dweight = at::zeros_like(head.weight);
    at::Tensor dbias = at::zeros_like(head.bias);
    const at::Tensor dhidden = lm_head_backward(head.hidden, head.packed, head.target, 1.0, got, head.dlogprob,
                                                head.dentropy, dweight, head.rule, &dbias);
    return std::vector<at::Tensor>{dhidden, dweight, dbias};
  };
  const auto one = with_threads(1, run);
  const auto two = with_threads(2, run);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
}

TEST_CASE("kernels: every variant of the soft cap stays below the cap and is right near zero and far from it") {
  const at::Tensor logits = at::tensor({-1e30F, -50.0F, -1.0F, -1e-6F, 0.0F, 1e-6F, 0.3F, 20.0F, 1000.0F});
  const at::Tensor expected = 30 * at::tanh(logits.to(at::kDouble) / 30);
  for (const auto& kernel : HONE_VARIANTS(cap_logits)) {
    at::Tensor capped = logits.clone();
    kernel(capped.data_ptr<float>(), capped.numel(), 30.0F);
    CHECK(((capped.to(at::kDouble) - expected).abs() <= expected.abs() * 1e-6).all().item<bool>());
    at::Tensor nan = at::full({3}, NAN);
    kernel(nan.data_ptr<float>(), 3, 30.0F);
    CHECK(at::isnan(nan).all().item<bool>());
  }
}
