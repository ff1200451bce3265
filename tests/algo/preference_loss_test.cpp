#include "algo/preference_loss.h"

#include <cmath>

#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

double softplus(double z) { return std::log1p(std::exp(z)); }

PairLogprobs golden_pairs(const Json& inputs) {
  return {.chosen_P = tensor_of(inputs.at("policy_chosen")),
          .rejected_P = tensor_of(inputs.at("policy_rejected")),
          .ref_chosen_P = tensor_of(inputs.at("ref_chosen")),
          .ref_rejected_P = tensor_of(inputs.at("ref_rejected")),
          .chosen_tokens_P = numbers({1, 1, 1}),
          .rejected_tokens_P = numbers({1, 1, 1})};
}

/// Δ is 1.5 - (-0.5) = 2, by tokens 0.5 - (-0.25) = 0.75.
PairLogprobs one_pair() {
  return {.chosen_P = numbers({-3}),
          .rejected_P = numbers({-4}),
          .ref_chosen_P = numbers({-4.5}),
          .ref_rejected_P = numbers({-3.5}),
          .chosen_tokens_P = numbers({3}),
          .rejected_tokens_P = numbers({2})};
}

double loss_of(const PreferenceOptions& options) { return preference_loss(one_pair(), options).loss_P.item<double>(); }

}  // namespace

TEST_CASE("algo: published pair losses") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json dpo = golden_case(folder, "preference_losses.json", "tune_dpo");
  const auto dpo_loss = preference_loss(golden_pairs(dpo.at("inputs")),
                                        {.beta = dpo.at("params").at("beta").as_number(),
                                         .label_smoothing = dpo.at("params").at("label_smoothing").as_number()});
  CHECK(gap(dpo_loss.loss_P, tensor_of(dpo.at("expected").at("losses"))) < dpo.at("tol").as_number());

  const Json hinge = golden_case(folder, "preference_losses.json", "tune_rso_hinge");
  const auto hinge_loss =
      preference_loss(golden_pairs(hinge.at("inputs")),
                      {.loss = PreferenceLoss::hinge, .beta = hinge.at("params").at("gamma").as_number()});
  CHECK(gap(hinge_loss.loss_P, tensor_of(hinge.at("expected").at("losses"))) < hinge.at("tol").as_number());
}

TEST_CASE("algo: a pair that both models find equally likely costs log 2, and its likelihood beside that") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json golden = golden_case(folder, "preference_losses.json", "nemo_dpo_zero_margin");
  const Json& expected = golden.at("expected");
  const double tolerance = golden.at("tol").as_number();
  const at::Tensor logprob_P = numbers({-2 * std::log(16)});  // two tokens of a flat vocabulary of 16
  PairLogprobs pairs{logprob_P, logprob_P, numbers({0}), numbers({0}), numbers({1}), numbers({1})};
  CHECK(std::abs(preference_loss(pairs, {}).loss_P.item<double>() - expected.at("preference_loss").as_number()) <
        tolerance);
  // The case adds the sum over tokens: the mean over a single one.
  const PreferenceOutcome both = preference_loss(pairs, {.nll_weight = 0.5});
  CHECK(std::abs(both.nll_P.item<double>() - expected.at("sft_loss_sum").as_number()) < tolerance);
  CHECK(std::abs(both.loss_P.item<double>() - expected.at("total_with_sft_weight_0.5").as_number()) < tolerance);
  pairs.chosen_tokens_P = numbers({2});
  CHECK(preference_loss(pairs, {}).nll_P.item<double>() == doctest::Approx(std::log(16)));
}

TEST_CASE("algo: each pair loss is its formula") {
  using enum PreferenceLoss;
  CHECK(loss_of({.beta = 0.5}) == doctest::Approx(softplus(-1)));
  CHECK(loss_of({.beta = 0.5, .label_smoothing = 0.2}) == doctest::Approx(0.8 * softplus(-1) + 0.2 * softplus(1)));
  CHECK(loss_of({.loss = sigmoid_norm, .beta = 2}) == doctest::Approx(softplus(-1.5)));
  CHECK(loss_of({.loss = hinge, .beta = 0.2}) == doctest::Approx(0.6));
  CHECK(loss_of({.loss = hinge, .beta = 1}) == 0.0);
  CHECK(loss_of({.loss = ipo, .beta = 0.5}) == doctest::Approx((0.75 - 1) * (0.75 - 1)));
  CHECK(loss_of({.loss = robust, .beta = 0.5, .label_smoothing = 0.1}) ==
        doctest::Approx((0.9 * softplus(-1) - 0.1 * softplus(1)) / 0.8));
  CHECK(loss_of({.loss = cpo, .beta = 0.5}) == doctest::Approx(softplus(-0.5)));
  CHECK(loss_of({.loss = cpo, .beta = 0.5, .nll_weight = 2}) == doctest::Approx(softplus(-0.5) + 2));
  CHECK(loss_of({.loss = simpo, .beta = 2, .margin = 0.5}) == doctest::Approx(softplus(-(2 * (-1 + 2) - 0.5))));
  const double odds = std::exp(-1) / (1 - std::exp(-1)) / (std::exp(-2) / (1 - std::exp(-2)));
  CHECK(loss_of({.loss = orpo, .beta = 0.3, .nll_weight = 1}) ==
        doctest::Approx(1 + 0.3 * softplus(-std::log(odds))));
}

TEST_CASE("algo: rewards are what leaving the reference is worth, or the likelihood where there is none") {
  const PreferenceOutcome dpo = preference_loss(one_pair(), {.beta = 0.5});
  CHECK(dpo.chosen_reward_P.item<double>() == doctest::Approx(0.75));
  CHECK(dpo.rejected_reward_P.item<double>() == doctest::Approx(-0.25));
  PairLogprobs alone = one_pair();
  alone.ref_chosen_P = at::Tensor();
  alone.ref_rejected_P = at::Tensor();
  CHECK(preference_loss(alone, {.loss = PreferenceLoss::cpo, .beta = 0.5}).chosen_reward_P.item<double>() ==
        doctest::Approx(-1.5));
  CHECK(preference_loss(alone, {.loss = PreferenceLoss::simpo, .beta = 0.5}).rejected_reward_P.item<double>() ==
        doctest::Approx(-1));
}

TEST_CASE("algo: gradients of pair losses are their slopes, also where an answer is certain") {
  for (const PreferenceLoss loss :
       {PreferenceLoss::sigmoid, PreferenceLoss::sigmoid_norm, PreferenceLoss::ipo, PreferenceLoss::robust,
        PreferenceLoss::cpo, PreferenceLoss::simpo, PreferenceLoss::orpo}) {
    CAPTURE(static_cast<int>(loss));
    const PreferenceOptions options{.loss = loss, .beta = 0.4, .label_smoothing = 0.1, .margin = 0.2, .nll_weight = 0.3};
    const auto at = [&](double chosen) {
      PairLogprobs pairs = one_pair();
      pairs.chosen_P = leaf(numbers({chosen}));
      const at::Tensor value = preference_loss(pairs, options).loss_P.sum();
      value.backward();
      return std::pair(value.item<double>(), pairs.chosen_P.grad().item<double>());
    };
    constexpr double step = 1e-5;
    CHECK(at(-3).second == doctest::Approx((at(-3 + step).first - at(-3 - step).first) / (2 * step)).epsilon(1e-7));
    CHECK(std::isfinite(at(0).second));
  }
}

TEST_CASE("algo: KTO weighs good and bad answers against the divergence of the batch") {
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  const at::Tensor logratio_S = leaf(numbers({2, 2, -1}));
  const at::Tensor desirable_S = at::tensor(std::vector<int>{1, 0, 0}).to(at::kBool);
  const at::Tensor loss_S = kto_loss(logratio_S, desirable_S, 0.5, {.beta = 0.4, .desirable_weight = 3, .undesirable_weight = 2});
  CHECK(gap(loss_S.detach(), numbers({3 * (1 - sigmoid(0.6)), 2 * (1 - sigmoid(-0.6)), 2 * (1 - sigmoid(0.6))})) < 1e-15);
  loss_S.sum().backward();
  CHECK(logratio_S.grad()[0].item<double>() < 0);
  CHECK(logratio_S.grad()[1].item<double>() > 0);
  CHECK(kto_divergence(numbers({1, -0.5})) == 0.25);
  CHECK(kto_divergence(numbers({-1, 0.5})) == 0.0);
}

TEST_CASE("algo: the likelihood of chosen answers is a mean over their tokens") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json golden = golden_case(folder, "preference_losses.json", "nemo_dpo_sft_variants");
  const at::Tensor logprob_P = numbers({-2 * std::log(10), -3 * std::log(10)});  // a flat vocabulary of 10
  const auto likelihood = [&](const at::Tensor& tokens_P) {
    const PairLogprobs pairs{logprob_P, logprob_P, logprob_P, logprob_P, tokens_P, tokens_P};
    return preference_loss(pairs, {}).nll_P.mean().item<double>();
  };
  const double tolerance = golden.at("tol").as_number();
  CHECK(std::abs(likelihood(numbers({2, 3})) - golden.at("expected").at("sft_token_mean").as_number()) < tolerance);
  CHECK(std::abs(likelihood(numbers({1, 1})) - golden.at("expected").at("sft_sum_then_mean").as_number()) < tolerance);
}
