#include "algo/policy_loss.h"

#include <cmath>
#include <limits>

#include "algo/importance.h"
#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

LossRows mean_over(const std::vector<std::int64_t>& lengths) {
  const auto start = starts_of(lengths);
  const auto mask = at::ones({start[-1].item<std::int64_t>()}, at::kFloat);
  return loss_rows(Aggregation::token_mean, start, mask, loss_denominator(Aggregation::token_mean, start, mask));
}

/// The streams of a golden case, flattened; every row of its tables is a sequence.
struct Streams {
  at::Tensor logprob, old_logprob, advantage, rollout;
  LossRows rows;
};

Streams streams_of(const Json& golden) {
  const auto& inputs = golden.at("inputs");
  const auto table = [&](const char* name) {
    return inputs.find(name) == nullptr ? at::Tensor() : tensor_of(inputs.at(name)).view(-1);
  };
  const auto shape = tensor_of(inputs.at("logprobs"));
  const auto sequences = shape.dim() == 2 ? shape.size(0) : 1;
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(sequences), shape.size(-1));
  Streams streams = {table("logprobs"), table("old_logprobs"), table("advantages"), table("rollout_logprobs"),
                     mean_over(lengths)};
  if (!streams.old_logprob.defined()) streams.old_logprob = streams.logprob;
  return streams;
}

double loss_of(const Streams& s, const PolicyLossOptions& options, const at::Tensor& importance = {}) {
  return policy_loss(s.logprob, s.old_logprob, s.advantage, importance, s.rows, options).loss.item<double>();
}

void check_loss(const Json& golden, const PolicyLossOptions& options, RatioLevel level = RatioLevel::token,
                double cap = 0) {
  const auto streams = streams_of(golden);
  at::Tensor importance;
  if (cap > 0) {
    importance =
        importance_weights(streams.old_logprob, streams.rollout, streams.rows, {.level = level, .cap = cap});
  }
  CHECK(std::abs(loss_of(streams, options, importance) - golden.at("expected").at("loss").as_number()) <=
        golden.at("tol").as_number());
}

/// Loss of one token by its ratio and advantage.
double token_loss(double ratio, double advantage, const PolicyLossOptions& options = {}) {
  const Streams one = {numbers({std::log(ratio) - 1}), numbers({-1}), numbers({advantage}), {}, mean_over({1})};
  return loss_of(one, options);
}

constexpr double kNoCap = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("algo: clipped policy losses of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  check_loss(golden_case(folder, "rl_losses.json", "ppo_clip"), {});
  check_loss(golden_case(folder, "rl_losses.json", "dual_clip"), {.dual_clip = 3});
  check_loss(golden_case(folder, "rl_losses.json", "on_policy_ratio_one"), {});
  check_loss(golden_case(folder, "rl_losses.json", "cispo"), {.clip = ClipKind::detached});
  // With the old policy equal to the current one the detached form is -A·logprob.
  check_loss(golden_case(folder, "rl_losses.json", "reinforce"), {.clip = ClipKind::detached});

  const auto clip = golden_case(folder, "rl_losses.json", "ppo_clip"),
             dual = golden_case(folder, "rl_losses.json", "dual_clip");
  for (const auto& [golden, ceiling] : {std::pair(clip, 0.0), std::pair(dual, 3.0)}) {
    const auto ratio = tensor_of(golden.at("expected").at("ratios"))[0];
    const auto advantage = tensor_of(golden.at("inputs").at("advantages"))[0];
    const auto expected = tensor_of(golden.at("expected").at("per_token"))[0];
    for (int t = 0; t < 3; ++t) {
      CHECK(token_loss(ratio[t].item<double>(), advantage[t].item<double>(), {.dual_clip = ceiling}) ==
            doctest::Approx(expected[t].item<double>()).epsilon(1e-3));
    }
  }
}

TEST_CASE("algo: policy losses and ratios of a second source") {
  HONE_NEEDS_TEST_DATA(folder);
  for (const auto& golden :
       {golden_case(folder, "rl_losses.json", "tune_ppo_high"), golden_case(folder, "rl_losses.json", "tune_ppo_low"),
        golden_case(folder, "rl_losses.json", "tune_ppo_mid")}) {
    const auto s = streams_of(golden);
    const auto result = policy_loss(s.logprob, s.old_logprob, s.advantage, {}, s.rows, {});
    CHECK(result.loss.item<double>() ==
          doctest::Approx(golden.at("expected").at("policy_loss").as_number()).epsilon(1e-4));
    CHECK(result.metrics.ratio_mean() ==
          doctest::Approx(golden.at("expected").at("mean_ratio").as_number()).epsilon(1e-4));
  }
}

TEST_CASE("algo: importance weights of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  check_loss(golden_case(folder, "rl_losses.json", "ppo_is_correction"), {}, RatioLevel::token, kNoCap);
  check_loss(golden_case(folder, "rl_losses.json", "cispo_is_correction"), {.clip = ClipKind::detached},
             RatioLevel::token, kNoCap);
  check_loss(golden_case(folder, "rl_losses.json", "tis_token"), {}, RatioLevel::token, 0.8);
  const auto golden = golden_case(folder, "rl_losses.json", "ppo_is_correction");
  const auto s = streams_of(golden);
  CHECK(gap(importance_weights(s.old_logprob, s.rollout, s.rows),
            tensor_of(golden.at("expected").at("is_weights"))[0]) < 1e-3);
}

TEST_CASE("algo: sequence-level ratios of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const PolicyLossOptions gspo = {.ratio = RatioLevel::sequence};
  check_loss(golden_case(folder, "rl_losses.json", "gspo"), gspo);
  check_loss(golden_case(folder, "rl_losses.json", "gspo_batch2"), gspo);
  check_loss(golden_case(folder, "rl_losses.json", "gspo_is_seq"), gspo, RatioLevel::sequence, kNoCap);
  check_loss(golden_case(folder, "rl_losses.json", "gspo_tis_seq"), gspo, RatioLevel::sequence, 0.8);
}

TEST_CASE("algo: the entropy bonus of a golden case is a weighted sum like any other") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "rl_losses.json", "entropy_is_estimate");
  const auto s = streams_of(golden);
  const auto surprise = -(s.logprob - s.rollout).exp() * s.logprob;
  CHECK(s.rows.weighted_sum(surprise).item<double>() ==
        doctest::Approx(golden.at("expected").as_number()).epsilon(1e-3));
}

TEST_CASE("algo: clip bounds by the sign of the advantage") {
  const PolicyLossOptions wide = {.clip_low = 0.1, .clip_high = 0.3};
  CHECK(token_loss(2.0, 1, wide) == doctest::Approx(-1.3));  // bounded above
  CHECK(token_loss(0.5, 1, wide) == doctest::Approx(-0.5));  // not below
  CHECK(token_loss(0.5, -1, wide) == doctest::Approx(0.9));  // bounded below
  CHECK(token_loss(2.0, -1, wide) == doctest::Approx(2.0));  // not above
  CHECK(token_loss(7.0, -1, {.dual_clip = 3}) == doctest::Approx(3.0));
  CHECK(token_loss(7.0, 0) == 0.0);
}

TEST_CASE("algo: clipped rows have gradient exactly 0, also where the ratio overflows") {
  const auto logprob = leaf(numbers({-1, -1, 0, -1.05}));
  const auto old = numbers({-900, -2, -.5, -1});  // ratios e^899, e, e^.5, e^-.05
  const auto result = policy_loss(logprob, old, numbers({1, 1, -1, 1}), {}, mean_over({4}), {});
  result.loss.backward();
  const auto gradient = logprob.grad();
  CHECK(gradient[0].item<double>() == 0.0);
  CHECK(gradient[1].item<double>() == 0.0);
  CHECK(gradient[2].item<double>() == doctest::Approx(std::exp(.5) / 4));
  CHECK(gradient[3].item<double>() == doctest::Approx(-std::exp(-.05) / 4));
  CHECK(result.loss.isfinite().item<bool>());
}

TEST_CASE("algo: at ratio 1 the gradient is -A times weight, and the metrics say so") {
  const auto logprob = leaf(numbers({-1, -2, -3, -4})), advantage = numbers({1, -2, 0, 3});
  const auto result = policy_loss(logprob, logprob, advantage, {}, mean_over({4}), {});
  result.loss.backward();
  CHECK(gap(logprob.grad(), -advantage / 4) < 1e-15);
  CHECK(result.metrics.ratio_mean() == 1.0);
  CHECK(result.metrics.ratio_max == 1.0);
  CHECK(result.metrics.approx_kl() == 0.0);
  CHECK(result.metrics.clip_ratio_low() + result.metrics.clip_ratio_high() == 0.0);
}

TEST_CASE("algo: gradients agree with finite differences in every form") {
  const auto old = -at::rand({6}, at::kDouble) - .5, advantage = numbers({1, -1, .5, -2, 3, -.3});
  const auto importance = at::rand({6}, at::kDouble) + .5, at = old + .3 * at::randn({6}, at::kDouble);
  const auto rows = mean_over({4, 2});
  for (const auto& [ratio, clip] : {std::pair(RatioLevel::token, ClipKind::surrogate),
                                    std::pair(RatioLevel::sequence, ClipKind::surrogate),
                                    std::pair(RatioLevel::token, ClipKind::soft)}) {
    const PolicyLossOptions options = {
        .clip_low = .15, .clip_high = .25, .dual_clip = 1.6, .ratio = ratio, .clip = clip};
    const auto value = [&](const at::Tensor& x) {
      return policy_loss(x, old, advantage, importance, rows, options).loss;
    };
    const auto x = leaf(at);
    value(x).backward();
    for (int t = 0; t < 6; ++t) {
      auto up = at.clone(), down = at.clone();
      up[t] += 1e-6, down[t] -= 1e-6;
      const double slope = (value(up) - value(down)).item<double>() / 2e-6;
      CHECK(x.grad()[t].item<double>() == doctest::Approx(slope).epsilon(1e-5));
    }
  }
}

TEST_CASE("algo: the detached form keeps every token's gradient, with the clipped ratio as factor") {
  const auto logprob = leaf(numbers({-1, -1})), old = numbers({-2, -.5});  // ratios e, e^-.5
  const auto run = [&](double low) {
    logprob.mutable_grad() = at::Tensor();
    const PolicyLossOptions options = {.clip_low = low, .clip = ClipKind::detached};
    policy_loss(logprob, old, numbers({2, -1}), {}, mean_over({2}), options).loss.backward();
    return logprob.grad().clone();
  };
  CHECK(gap(run(0.2), numbers({-1.2, .4})) < 1e-12);
  CHECK(gap(run(1.0), numbers({-1.2, std::exp(-.5) / 2})) < 1e-12);  // upper-only
}

TEST_CASE("algo: shares of clipped rows count only where clipping acts") {
  const auto old = at::zeros({4}, at::kDouble), logprob = numbers({1, 1, -1, -1});
  const auto result = policy_loss(logprob, old, numbers({1, -1, -1, 1}), {}, mean_over({4}), {});
  CHECK(result.metrics.clip_ratio_high() == .25);
  CHECK(result.metrics.clip_ratio_low() == .25);
  CHECK(result.metrics.approx_kl() == doctest::Approx(((std::exp(1) - 2) + std::exp(-1)) / 2));
  PolicyMetrics twice = result.metrics;
  twice.add(result.metrics);
  CHECK(twice.rows == 8.0);
  CHECK(twice.ratio_mean() == doctest::Approx(result.metrics.ratio_mean()));
}

TEST_CASE("algo: importance weights have no gradient and stop at the cap") {
  const auto old = leaf(numbers({-1, -1, -1})), rollout = numbers({-2, -1, 0});
  const auto weight = importance_weights(old, rollout, mean_over({3}), {.cap = 2});
  CHECK(!weight.requires_grad());
  CHECK(gap(weight, numbers({2, 1, std::exp(-1)})) < 1e-12);
  const auto same = importance_weights(old, old, mean_over({3}), {.level = RatioLevel::sequence, .cap = 2});
  CHECK(gap(same, numbers({1, 1, 1})) == 0.0);
}

TEST_CASE("algo: weights outside their band are left out, by token or for a whole sequence") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto token = golden_case(folder, "rl_losses.json", "icepop");
  const auto s = streams_of(token);
  const auto kept = importance_weights(s.old_logprob, s.rollout, s.rows, {.token = {0.5, 5}});
  CHECK(std::abs(loss_of(s, {}, kept) - token.at("expected").at("loss").as_number()) <= token.at("tol").as_number());
  CHECK(gap(importance_weights(s.old_logprob, s.rollout, s.rows), tensor_of(token.at("expected").at("is_weights"))[0]) <
        1e-3);

  const auto whole = golden_case(folder, "rl_losses.json", "seq_mask_tis_kept");
  const auto w = streams_of(whole);
  const ImportanceOptions narrow = {.sequence = {0.999, 1.002}};
  const auto weight = importance_weights(w.old_logprob, w.rollout, w.rows, narrow);
  CHECK(std::abs(loss_of(w, {}, weight) - whole.at("expected").at("loss").as_number()) <= whole.at("tol").as_number());
  const auto far = importance_weights(w.old_logprob, w.rollout - 1, w.rows, narrow);
  CHECK(gap(far, numbers({0, 0, 0})) == 0.0);
  const auto never = numbers({-1.0, -kNoCap, -1.0});  // the sampler could not have drawn the second token
  CHECK(gap(importance_weights(w.old_logprob, never, w.rows, narrow), numbers({0, 0, 0})) == 0.0);
}

TEST_CASE("algo: a bad sequence that the policy has left is dropped, a good one is not") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "utils.json", "trl_off_policy_mask");
  const auto drift = tensor_of(golden.at("inputs").at("mean_sampling_minus_policy_logp"));
  const auto advantage = tensor_of(golden.at("inputs").at("advantages"));
  const auto rows = mean_over({2, 2, 2});
  const auto twice = [](const at::Tensor& x) { return x.repeat_interleave(2); };
  const auto spread = numbers({0.25, -0.25, 0.5, -0.5, 0, 0});  // the mean over the sequence counts
  const auto logprob = at::full({6}, -1.5, at::kDouble);
  const auto kept = stale_mask(logprob, logprob + twice(drift) + spread, twice(advantage), rows,
                               golden.at("inputs").at("threshold").as_number());
  CHECK(gap(kept, twice(tensor_of(golden.at("expected")))) == 0.0);
}

TEST_CASE("algo: the soft form has PPO's gradient at ratio 1 and none far away, where the ratio overflows too") {
  for (const double advantage : {1.0, -1.0}) {
    for (const auto& [difference, slope] : {std::pair(0.0, -advantage), std::pair(5.0, 0.0), std::pair(800.0, 0.0)}) {
      const auto logprob = leaf(numbers({difference - 1}));
      policy_loss(logprob, numbers({-1}), numbers({advantage}), {}, mean_over({1}), {.clip = ClipKind::soft}).loss.backward();
      CHECK(logprob.grad()[0].item<double>() == doctest::Approx(slope).epsilon(1e-9));
    }
  }
}
