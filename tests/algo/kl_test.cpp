#include "algo/kl.h"

#include <functional>
#include <limits>
#include <tuple>

#include <torch/csrc/autograd/autograd.h>

#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

struct Pair {
  at::Tensor logprob, ref;
};

Pair inputs_of(const Json& golden) {
  const auto& inputs = golden.at("inputs");
  return {tensor_of(inputs.at("logprobs")), tensor_of(inputs.at("ref_logprobs"))};
}

LossRows mean_over(std::int64_t rows) {
  const auto mask = at::ones({rows}, at::kFloat);
  return loss_rows(Aggregation::token_mean, starts_of({rows}), mask, static_cast<double>(rows));
}

at::Tensor gradient_of(const at::Tensor& at, const at::Tensor& ref, KlEstimator estimator, const KlClamp& clamp = {}) {
  const auto logprob = leaf(at);
  kl_estimate(logprob, ref, estimator, clamp).sum().backward();
  return logprob.grad();
}

}  // namespace

TEST_CASE("algo: KL estimators of the golden cases, with and without clamps") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto check = [](const Json& golden, KlEstimator estimator) {
    const auto [logprob, ref] = inputs_of(golden);
    const KlClamp clamp = {golden.at("params").at("input_clamp").as_number(),
                           golden.at("params").at("output_clamp").as_number()};
    CHECK(gap(kl_estimate(logprob, ref, estimator), tensor_of(golden.at("expected").at("unclamped"))) < 1e-3);
    CHECK(gap(kl_estimate(logprob, ref, estimator, clamp), tensor_of(golden.at("expected").at("clamped"))) < 1e-3);
  };
  check(golden_case(folder, "rl_losses.json", "kl_k1"), KlEstimator::k1);
  check(golden_case(folder, "rl_losses.json", "kl_k2"), KlEstimator::k2);
  check(golden_case(folder, "rl_losses.json", "kl_k3"), KlEstimator::k3);

  const auto signed_kl = golden_case(folder, "rl_losses.json", "trl_kl_penalty_kl");
  auto [logprob, ref] = inputs_of(signed_kl);
  CHECK(gap(kl_estimate(logprob, ref, KlEstimator::k1), tensor_of(signed_kl.at("expected"))) < 1e-6);
  const auto squared = golden_case(folder, "rl_losses.json", "trl_kl_penalty_mse");
  CHECK(gap(kl_estimate(logprob, ref, KlEstimator::k2), tensor_of(squared.at("expected"))) < 1e-6);

  const auto closed = golden_case(folder, "rl_losses.json", "prl_k3");
  CHECK(gap(kl_estimate(tensor_of(closed.at("inputs").at("student")), tensor_of(closed.at("inputs").at("teacher")),
                        KlEstimator::k3),
            tensor_of(closed.at("expected"))) < 1e-6);
}

TEST_CASE("algo: the KL loss of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto penalty = golden_case(folder, "rl_losses.json", "kl_penalty_k3");
  auto [logprob, ref] = inputs_of(penalty);
  const double beta = penalty.at("params").at("beta").as_number();
  const double loss = kl_loss(logprob[0], ref[0], KlEstimator::k3, mean_over(3)).item<double>();
  CHECK(gap(kl_estimate(logprob, ref, KlEstimator::k3), tensor_of(penalty.at("expected").at("k3"))) < 1e-3);
  CHECK(loss == doctest::Approx(penalty.at("expected").at("mean").as_number()).epsilon(1e-3));
  CHECK(beta * loss == doctest::Approx(penalty.at("expected").at("loss").as_number()).epsilon(1e-2));

  const auto weighted = golden_case(folder, "rl_losses.json", "kl_k3_is_weighted");
  std::tie(logprob, ref) = std::pair(inputs_of(weighted).logprob, inputs_of(weighted).ref);
  const auto factor = (logprob - tensor_of(weighted.at("inputs").at("rollout_logprobs"))).exp();
  CHECK(gap(factor, tensor_of(weighted.at("expected").at("is_weights"))) < 1e-3);
  CHECK(kl_loss(logprob[0], ref[0], KlEstimator::k3, mean_over(3), factor[0]).item<double>() ==
        doctest::Approx(weighted.at("expected").at("mean").as_number()).epsilon(1e-3));
}

TEST_CASE("algo: golden KL gradients are those of k2, and of k3 times a ratio that carries its gradient") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "rl_losses.json", "kl_k3_gradient");
  const auto [at, ref] = inputs_of(golden);
  const double beta = golden.at("params").at("beta").as_number();
  const auto rollout = tensor_of(golden.at("inputs").at("rollout_logprobs"))[0];
  const auto run = [&](KlEstimator estimator, const std::function<at::Tensor(const at::Tensor&)>& factor) {
    const auto logprob = leaf(at[0]);
    (beta * kl_loss(logprob, ref[0], estimator, mean_over(2), factor(logprob))).backward();
    return logprob.grad();
  };
  const auto plain = tensor_of(golden.at("expected").at("plain"))[0];
  CHECK(gap(run(KlEstimator::k2, [](const at::Tensor&) { return at::Tensor(); }), plain) < 1e-6);
  CHECK(gap(run(KlEstimator::k3, [](const at::Tensor& x) { return (x - x.detach()).exp(); }), plain) < 1e-6);
  const auto corrected = tensor_of(golden.at("expected").at("on_policy_is"))[0];
  CHECK(gap(run(KlEstimator::k2, [&](const at::Tensor& x) { return (x.detach() - rollout).exp(); }), corrected) < 1e-6);
  CHECK(gap(run(KlEstimator::k3, [&](const at::Tensor& x) { return (x - rollout).exp(); }), corrected) < 1e-6);

  const auto clamped = golden_case(folder, "rl_losses.json", "kl_k3_input_clamp_grad");
  const auto pair = inputs_of(clamped);
  const KlClamp clamp = {.difference = clamped.at("params").at("input_clamp").as_number()};
  CHECK(gap(kl_estimate(pair.logprob, pair.ref, KlEstimator::k3, clamp), tensor_of(clamped.at("expected").at("kl"))) <
        1e-5);
  CHECK(gap(gradient_of(pair.logprob, pair.ref, KlEstimator::k2, clamp),
            tensor_of(clamped.at("expected").at("grad_logprobs_of_sum"))) < 1e-5);
}

TEST_CASE("algo: k3 is never negative in float32, where the naive form is") {
  const auto ref = at::full({2001}, -0.01f), logprob = ref + at::linspace(-1e-3, 1e-3, 2001, at::kFloat);
  CHECK(kl_estimate(logprob, ref, KlEstimator::k3).min().item<float>() >= 0.0f);
  const auto d = logprob - ref;
  CHECK(((-d).exp() - 1 + d).min().item<float>() < 0.0f);
}

TEST_CASE("algo: equal policies have KL 0 by every estimator") {
  const auto logprob = -at::rand({50});
  for (const auto estimator : {KlEstimator::k1, KlEstimator::k2, KlEstimator::k3}) {
    CHECK(kl_estimate(logprob, logprob, estimator).abs().max().item<float>() == 0.0f);
  }
}

TEST_CASE("algo: over all tokens k1 and k3 average to the KL; only k2 has its gradient") {
  // Expectations over a distribution of five tokens, exactly.
  const auto logits = leaf(numbers({.3, -1, .8, .1, -.4})), other = numbers({-.2, .5, .4, 0, -1}).log_softmax(0);
  const auto logprob = logits.log_softmax(0), weight = logprob.detach().exp();
  const auto kl = (logprob.exp() * (logprob - other)).sum();
  const auto exact = torch::autograd::grad({kl}, {logits}, {}, true)[0];
  const auto estimate = [&](KlEstimator estimator) { return (weight * kl_estimate(logprob, other, estimator)).sum(); };
  const auto gradient = [&](KlEstimator estimator) {
    return torch::autograd::grad({estimate(estimator)}, {logits}, {}, true)[0];
  };
  CHECK(estimate(KlEstimator::k1).item<double>() == doctest::Approx(kl.item<double>()).epsilon(1e-12));
  CHECK(estimate(KlEstimator::k3).item<double>() == doctest::Approx(kl.item<double>()).epsilon(1e-12));
  CHECK(gradient(KlEstimator::k1).abs().max().item<double>() < 1e-15);
  CHECK(gap(gradient(KlEstimator::k2), exact) < 1e-12);
  CHECK(gap(gradient(KlEstimator::k3), exact) > 1e-2);
}

TEST_CASE("algo: k1 as a loss is refused with a way out") {
  const auto x = numbers({-1, -2});
  HONE_CHECK_ERROR(config, kl_loss(x, x, KlEstimator::k1, mean_over(2)), "k1", "use k2");
}

TEST_CASE("algo: the reference gets no gradient, and a clamp passes none outside") {
  const auto logprob = leaf(numbers({-1, -30})), ref = leaf(numbers({-2, -2}));
  kl_estimate(logprob, ref, KlEstimator::k2, {.difference = 20}).sum().backward();
  CHECK(!ref.grad().defined());
  CHECK(gap(logprob.grad(), numbers({1, 0})) < 1e-12);
}

TEST_CASE("algo: the adaptive coefficient follows the published rule and stays put on NaN") {
  auto adaptive = KlController::adaptive(0.15, 6, 10000);
  adaptive.update(12, 500);  // error 1, clipped to 0.2
  CHECK(adaptive.coefficient() == doctest::Approx(0.15 * (1 + 0.2 * 0.05)).epsilon(1e-12));
  adaptive.update(6.6, 1000);  // error 0.1
  CHECK(adaptive.coefficient() == doctest::Approx(0.15 * 1.01 * 1.01).epsilon(1e-12));
  const double before = adaptive.coefficient();
  adaptive.update(std::numeric_limits<double>::quiet_NaN(), 500);
  CHECK(adaptive.coefficient() == before);
  adaptive.update(0, 10000);  // error -1, clipped to -0.2
  CHECK(adaptive.coefficient() == doctest::Approx(before * 0.8).epsilon(1e-12));

  auto fixed = KlController::fixed(0.05);
  fixed.update(100, 1000);
  CHECK(fixed.coefficient() == 0.05);
}
