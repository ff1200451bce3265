#include "algo/gae.h"

#include <limits>

#include "algo/masked.h"
#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A golden table [S, n] through packed GAE; rewards sit at the last action row when only the final one is given.
Advantages of_case(const Json& golden, const GaeOptions& options, bool ignore_mask = false) {
  const auto& inputs = golden.at("inputs");
  const auto value = tensor_of(inputs.at("values"));
  const auto* given = inputs.find("mask");
  const auto mask = given == nullptr || ignore_mask ? at::ones_like(value) : tensor_of(*given);
  auto reward = at::zeros_like(value);
  if (const auto* rewards = inputs.find("rewards")) {
    reward = tensor_of(*rewards);
  } else {
    reward[0][mask[0].nonzero().max().item<std::int64_t>()] = inputs.at("rewards_terminal").as_number();
  }
  const auto result = gae(reward.view(-1), value.view(-1), starts_of_table(value), mask.view(-1), {}, options);
  return {result.advantage_T.view_as(value), result.return_T.view_as(value)};
}

GaeOptions options_of(const Json& golden) {
  return {.gamma = golden.at("params").at("gamma").as_number(), .lambda = golden.at("params").at("lambda").as_number()};
}

}  // namespace

TEST_CASE("algo: GAE and returns of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto returns = golden_case(folder, "advantages.json", "tune_returns");
  CHECK(gap(of_case(returns, options_of(returns)).return_T, tensor_of(returns.at("expected"))) < 1e-6);

  const auto zero = golden_case(folder, "advantages.json", "nemo_gae_lambda0");
  CHECK(gap(of_case(zero, options_of(zero)).advantage_T, tensor_of(zero.at("expected"))) < 1e-9);

  const auto whole = golden_case(folder, "advantages.json", "nemo_gae_mc");
  const auto result = of_case(whole, options_of(whole));
  CHECK(gap(result.advantage_T, tensor_of(whole.at("expected").at("advantages"))) < 1e-9);
  CHECK(gap(result.return_T, tensor_of(whole.at("expected").at("returns"))) < 1e-9);

  const auto interior = golden_case(folder, "advantages.json", "nemo_gae_interior_gap");
  CHECK(gap(of_case(interior, options_of(interior)).advantage_T, tensor_of(interior.at("expected"))) < 1e-9);
}

TEST_CASE("algo: whitened advantages of the golden cases add the mean back") {
  HONE_NEEDS_TEST_DATA(folder);
  const WhitenOptions convention = {.add_mean_back = true};
  const auto plain = golden_case(folder, "advantages.json", "tune_adv_whitened");
  const auto advantage = of_case(plain, options_of(plain)).advantage_T;
  CHECK(gap(masked_whiten(advantage, at::ones_like(advantage), convention), tensor_of(plain.at("expected"))) < 1e-4);

  // This source lets rewards and values of masked tokens into GAE and applies the mask to the whitening alone.
  const auto masked = golden_case(folder, "advantages.json", "tune_adv_whitened_masked");
  const auto raw = of_case(masked, options_of(masked), true).advantage_T;
  const auto mask = tensor_of(masked.at("inputs").at("mask"));
  CHECK(gap(masked_whiten(raw, mask, convention), tensor_of(masked.at("expected"))) < 1e-4);
}

TEST_CASE("algo: with gamma and lambda 1 the return is the reward to come") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "advantages.json", "nemo_raw_reward");
  const auto mask = tensor_of(golden.at("inputs").at("mask")), expected = tensor_of(golden.at("expected"));
  auto reward = at::zeros_like(mask);
  const auto score = tensor_of(golden.at("inputs").at("rewards"));
  for (int s = 0; s < 2; ++s) reward[s][mask[s].sum().item<std::int64_t>() - 1] = score[s];
  const auto result = gae(reward.view(-1), at::zeros({8}, at::kDouble), starts_of_table(mask), mask.view(-1), {},
                          {.gamma = 1, .lambda = 1});
  CHECK(gap(result.advantage_T.view_as(mask) * mask, expected * mask) == 0.0);
}

TEST_CASE("algo: GAE skips environment tokens and equals the sequence without them") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  // prompt prompt | a a | env env env | a a (last row: has seen everything, predicts nothing)
  const auto mask = numbers({0, 1, 1, 0, 0, 0, 1, 1, 0});
  const auto value = numbers({nan, .1, .2, nan, 999, nan, .4, .5, nan});
  const auto reward = numbers({nan, 0, -.3, nan, nan, nan, .1, 1, nan});
  const GaeOptions options = {.gamma = .9, .lambda = .8};
  const auto with = gae(reward, value, starts_of({9}), mask, {}, options);
  const auto without =
      gae(numbers({0, -.3, .1, 1}), numbers({.1, .2, .4, .5}), starts_of({4}), numbers({1, 1, 1, 1}), {}, options);
  const auto rows = mask.nonzero().view(-1);
  CHECK(gap(with.advantage_T.index_select(0, rows), without.advantage_T) == 0.0);
  CHECK(gap(with.return_T.index_select(0, rows), without.return_T) == 0.0);
  CHECK(gap(with.advantage_T * (1 - mask), at::zeros({9}, at::kDouble)) == 0.0);
}

TEST_CASE("algo: GAE does not cross episodes, whatever their order and neighbours") {
  const auto options = GaeOptions{.gamma = .95, .lambda = .9};
  const auto value = at::rand({11}, at::kDouble), reward = at::rand({11}, at::kDouble);
  const auto mask = numbers({0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1});
  const auto together = gae(reward, value, starts_of({4, 3, 4}), mask, {}, options);
  std::int64_t begin = 0;
  for (const std::int64_t length : {4, 3, 4}) {
    const auto part = [&](const at::Tensor& stream) { return stream.narrow(0, begin, length); };
    const auto alone = gae(part(reward), part(value), starts_of({length}), part(mask), {}, options);
    CHECK(gap(part(together.advantage_T), alone.advantage_T) == 0.0);
    CHECK(gap(part(together.return_T), alone.return_T) == 0.0);
    begin += length;
  }
}

TEST_CASE("algo: a truncated episode is bootstrapped only when asked to") {
  const auto mask = numbers({1, 1, 0, 1, 1, 0});
  const auto value = numbers({.1, .2, .7, .1, .2, .7}), reward = numbers({0, 1, 0, 0, 1, 0});
  const auto truncated = at::tensor(std::vector<int>{1, 0}).to(at::kBool);
  const auto run = [&](bool bootstrap) {
    return gae(reward, value, starts_of({3, 3}), mask, truncated,
               {.gamma = .5, .lambda = 1, .bootstrap_truncated = bootstrap});
  };
  const auto off = run(false), on = run(true);
  CHECK(gap(off.return_T, numbers({.5, 1, 0, .5, 1, 0})) < 1e-12);
  CHECK(gap(on.return_T, numbers({.5 + .25 * .7, 1 + .5 * .7, 0, .5, 1, 0})) < 1e-12);
}

TEST_CASE("algo: returns are advantages plus values, and neither carries a gradient") {
  const auto value = leaf(at::rand({6})), reward = leaf(at::rand({6})), mask = at::ones({6}, at::kDouble);
  const auto result = gae(reward, value, starts_of({6}), mask, {}, {.gamma = .99, .lambda = .95});
  CHECK(gap(result.return_T, result.advantage_T + value) < 1e-15);
  CHECK(!result.advantage_T.requires_grad());
  CHECK(!result.return_T.requires_grad());
}

TEST_CASE("algo: rewards are whitened in scale only, before GAE; advantages after the returns are taken") {
  const auto reward = numbers({0, 2, 0, 4}), mask = numbers({1, 1, 1, 1}), value = numbers({.5, 1, .5, 1});
  const auto scaled = masked_whiten(reward, mask, {.add_mean_back = true});
  CHECK(masked_mean(scaled, mask) == doctest::Approx(masked_mean(reward, mask)));
  const auto result = gae(scaled, value, starts_of({2, 2}), mask, {}, {.gamma = 1, .lambda = 1});
  CHECK(gap(result.return_T, numbers({scaled[0].item<double>() + scaled[1].item<double>(), scaled[1].item<double>(),
                                      scaled[2].item<double>() + scaled[3].item<double>(), scaled[3].item<double>()})) <
        1e-12);
  const auto white = masked_whiten(result.advantage_T, mask);
  CHECK(masked_mean(white, mask) == doctest::Approx(0).epsilon(1e-12));
  CHECK(masked_variance(white, mask) == doctest::Approx(1).epsilon(1e-6));
}
