// The whole chain token_rewards → gae → policy_loss (and kl_loss) against the exact gradient of what it maximises, on a
// task small enough to sum over every sequence. Wrong signs, shifted rows, a masked end-of-sequence, a forgotten
// temperature or a critic that sees the action all show here.
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "algo/gae.h"
#include "algo/kl.h"
#include "algo/policy_loss.h"
#include "algo/tabular.h"
#include "algo/token_rewards.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr double kPenalty = 0.3;

struct Problem {
  TabularTask task;
  at::Tensor logits, ref_logits, score_S;
  double beta, temperature;

  Problem(std::int64_t horizon, double beta_, double temperature_)
      : task(horizon), beta(beta_), temperature(temperature_) {
    const auto fill = [](std::int64_t rows, double scale, double phase) {
      return (at::arange(rows * 4, at::kDouble) * 1.7 + phase).sin().view({rows, 4}) * scale;
    };
    logits = leaf(fill(task.states, 0.8, 0.3));
    ref_logits = fill(task.states, 0.6, 2.0);
    const auto sequences = static_cast<std::int64_t>(task.sequences.size());
    score_S = (at::arange(sequences, at::kDouble) * 2.3).cos();
  }

  at::Tensor logprob_T() const { return task.logprob_T(logits, temperature); }
  at::Tensor ref_logprob_T() const { return task.logprob_T(ref_logits, temperature); }
  at::Tensor probability_S() const { return task.by_sequence(logprob_T()).exp(); }
  at::Tensor paid_S() const { return score_S - kPenalty * task.truncated_S.to(at::kDouble); }

  /// d/dlogits of E[score - penalty] - β·KL(policy, reference), by autograd through the exact expectation.
  at::Tensor exact_gradient() const {
    const auto kl_S = task.by_sequence(logprob_T() - ref_logprob_T());
    const auto objective = (probability_S() * (paid_S() - beta * kl_S)).sum();
    return torch::autograd::grad({objective}, {logits})[0];
  }

  /// Streams as a run has them: every sequence once, weighted by its probability.
  LossRows rows() const {
    const auto weight_T = probability_S().detach().index_select(0, sequence_of_rows(task.start_S1));
    return loss_rows(Aggregation::token_mean, task.start_S1, task.mask_T, 1.0, weight_T);
  }

  /// Minus the gradient of the loss: what the optimizer climbs. value_T is the critic's.
  at::Tensor pipeline_gradient(const at::Tensor& value_T, bool kl_in_reward) const {
    const auto counted = rows();
    const auto logprob = logprob_T(), old = logprob.detach().to(at::kFloat), ref = ref_logprob_T().to(at::kFloat);
    const auto kl_T = kl_estimate(old, ref, KlEstimator::k1);
    const auto reward_T = token_rewards(task.start_S1, task.mask_T, score_S.to(at::kFloat), task.truncated_S, kl_T, {},
                                        {.kl_coefficient = kl_in_reward ? beta : 0.0, .missing_eos_penalty = kPenalty});
    const auto advantage_T =
        gae(reward_T, value_T, task.start_S1, task.mask_T, task.truncated_S, {.gamma = 1, .lambda = 1}).advantage_T;
    const auto logprob_M = counted.select(logprob).to(at::kFloat);
    auto loss = policy_loss(logprob_M, counted.select(old), counted.select(advantage_T), {}, counted, {}).loss;
    if (!kl_in_reward && beta > 0) {
      loss = loss + beta * kl_loss(logprob_M, counted.select(ref), KlEstimator::k2, counted);
    }
    return -torch::autograd::grad({loss}, {logits})[0];
  }

  at::Tensor no_critic() const { return at::zeros(task.mask_T.sizes(), at::kFloat); }
  /// Any function of the state; NaN where no value may be read.
  at::Tensor any_critic() const {
    const auto value_T = (task.state_T.to(at::kFloat) * 3.1).sin() * 5;
    return at::where(task.mask_T > 0, value_T, at::full_like(value_T, std::nanf("")));
  }
};

double total_variation(const at::Tensor& p, const at::Tensor& q) { return (p - q).abs().sum().item<double>() / 2; }

}  // namespace

TEST_CASE("algo: the enumerated task covers every sequence once") {
  const Problem problem(3, 0, 1);
  CHECK(problem.task.sequences.size() == 1 + 3 + 9 + 27);
  CHECK(problem.task.states == 1 + 3 + 9);
  CHECK(problem.probability_S().sum().item<double>() == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("algo: the pipeline's gradient is that of E[R] - beta KL") {
  for (const double temperature : {1.0, 0.7}) {
    for (const double beta : {0.0, 0.4}) {
      CAPTURE(temperature);
      CAPTURE(beta);
      const Problem problem(3, beta, temperature);
      const auto exact = problem.exact_gradient();
      CHECK(exact.abs().max().item<double>() > 0.01);
      CHECK(gap(problem.pipeline_gradient(problem.no_critic(), true), exact) < 1e-5);
      CHECK(gap(problem.pipeline_gradient(problem.any_critic(), true), exact) < 1e-5);
    }
  }
}

TEST_CASE("algo: a constant reward without KL has no gradient") {
  Problem problem(3, 0, 1);
  problem.score_S = kPenalty * problem.task.truncated_S.to(at::kDouble) + 2;
  CHECK(problem.pipeline_gradient(problem.no_critic(), true).abs().max().item<double>() < 1e-6);
  const auto perfect = problem.no_critic() + 2;
  CHECK(problem.pipeline_gradient(perfect, true).abs().max().item<double>() < 1e-6);
}

TEST_CASE("algo: trained with k1 in the reward the policy is the reference times exp(R/beta)") {
  Problem problem(3, 0.5, 1);
  for (int step = 0; step < 200; ++step) {
    const auto gradient = problem.pipeline_gradient(problem.no_critic(), true);
    problem.logits = leaf(problem.logits + 4 * gradient);
  }
  const auto wanted = (problem.task.by_sequence(problem.ref_logprob_T()) + problem.paid_S() / problem.beta).softmax(0);
  CHECK(total_variation(problem.probability_S().detach(), wanted) < 0.02);
}

TEST_CASE("algo: trained with k2 in the loss a one-step policy is the reference times exp(R/beta)") {
  Problem problem(1, 0.5, 1);
  for (int step = 0; step < 200; ++step) {
    const auto gradient = problem.pipeline_gradient(problem.no_critic(), false);
    problem.logits = leaf(problem.logits + 2 * gradient);
  }
  const auto wanted = (problem.task.by_sequence(problem.ref_logprob_T()) + problem.paid_S() / problem.beta).softmax(0);
  CHECK(total_variation(problem.probability_S().detach(), wanted) < 0.02);
}

TEST_CASE("algo: k2 in the loss charges each token for itself, so over three tokens it has another optimum") {
  Problem problem(3, 0.5, 1);
  for (int step = 0; step < 300; ++step) {
    const auto gradient = problem.pipeline_gradient(problem.no_critic(), false);
    problem.logits = leaf(problem.logits + 4 * gradient);
  }
  CHECK(problem.pipeline_gradient(problem.no_critic(), false).norm().item<double>() < 5e-3);
  const auto wanted = (problem.task.by_sequence(problem.ref_logprob_T()) + problem.paid_S() / problem.beta).softmax(0);
  CHECK(total_variation(problem.probability_S().detach(), wanted) > 0.1);
}
