#include "algo/group_advantage.h"

#include <limits>

#include "algo/masked.h"
#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

at::Tensor groups_of(std::initializer_list<std::int64_t> values) {
  return at::tensor(std::vector<std::int64_t>(values), at::kLong);
}

GroupAdvantages of_case(const Json& golden, GroupBaseline baseline, const at::Tensor& valid = {}) {
  const auto& inputs = golden.at("inputs");
  return group_advantage(tensor_of(inputs.at("rewards")), tensor_of(inputs.at("group")).to(at::kLong), valid,
                         {.baseline = baseline});
}

void check_leave_one_out(const Json& golden) {
  const auto result = of_case(golden, GroupBaseline::rloo);
  CHECK(gap(result.baseline_S, tensor_of(golden.at("expected").at("baseline"))) < 1e-5);
  CHECK(gap(result.std_S, tensor_of(golden.at("expected").at("std"))) < 1e-5);
  CHECK(gap(result.advantage_S, tensor_of(golden.at("inputs").at("rewards")) - result.baseline_S) < 1e-12);
}

}  // namespace

TEST_CASE("algo: leave-one-out baselines of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  check_leave_one_out(golden_case(folder, "advantages.json", "nemo_loo_basic"));
  check_leave_one_out(golden_case(folder, "advantages.json", "nemo_loo_single"));
  check_leave_one_out(golden_case(folder, "advantages.json", "nemo_loo_identical"));
  check_leave_one_out(golden_case(folder, "advantages.json", "nemo_loo_mixed"));

  const auto invalid = golden_case(folder, "advantages.json", "nemo_loo_invalid_sample");
  const auto valid = tensor_of(invalid.at("inputs").at("valid"));
  const auto result = of_case(invalid, GroupBaseline::rloo, valid);
  const auto kept = valid.nonzero().view(-1);
  for (const auto& [got, name] : {std::pair(result.baseline_S, "baseline"), std::pair(result.std_S, "std")}) {
    const auto expected = tensor_of(invalid.at("expected").at(name));
    CHECK(gap(got.index_select(0, kept), expected.index_select(0, kept)) < 1e-5);
  }
  CHECK(result.advantage_S[1].item<double>() == 0.0);

  const auto precise = golden_case(folder, "advantages.json", "nemo_loo_precision");
  const auto expected = tensor_of(precise.at("expected").at("baseline"));
  const auto got = of_case(precise, GroupBaseline::rloo);
  CHECK(((got.baseline_S - expected).abs() / expected).max().item<double>() < 1e-5);
  CHECK(got.std_S.isfinite().all().item<bool>());
}

TEST_CASE("algo: RLOO of the golden case") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "advantages.json", "trl_rloo");
  const auto reward = tensor_of(golden.at("inputs").at("rewards_k_by_prompt"));  // [sample, prompt]
  const auto group = at::arange(3).repeat({4});
  const auto result = group_advantage(reward.view(-1), group, {}, {.baseline = GroupBaseline::rloo});
  CHECK(gap(result.advantage_S.view_as(reward), tensor_of(golden.at("expected"))) < 1e-9);
  CHECK(result.groups == 3);
}

TEST_CASE("algo: GRPO advantages of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto check = [](const Json& golden) {
    const auto result = of_case(golden, GroupBaseline::grpo);
    CHECK(gap(result.advantage_S, tensor_of(golden.at("expected"))) <= golden.at("tol").as_number());
    return result;
  };
  CHECK(check(golden_case(folder, "advantages.json", "nemo_grpo_zero_std")).zero_std_share() == 0.5);
  check(golden_case(folder, "advantages.json", "nemo_grpo_pair"));
  check(golden_case(folder, "advantages.json", "nemo_grpo_ten"));
  CHECK(check(golden_case(folder, "advantages.json", "nemo_grpo_identical")).zero_std_share() == 1.0);
  check(golden_case(folder, "advantages.json", "nemo_grpo_small_std"));

  const auto wide = golden_case(folder, "advantages.json", "nemo_grpo_small_std");
  const auto reward = tensor_of(wide.at("inputs").at("rewards"));
  const auto coarse = group_advantage(reward, groups_of({0, 0}), {}, {.epsilon = 1e-4});
  CHECK(coarse.advantage_S[1].item<double>() == doctest::Approx(.005 / (.00707107 + 1e-4)).epsilon(1e-4));
}

TEST_CASE("algo: several rewards normalised apart, summed and whitened over the batch") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "advantages.json", "nemo_gdpo");
  auto sum = at::zeros({2}, at::kDouble);
  for (const auto& [name, reward] : golden.at("inputs").at("rewards").as_object()) {
    sum += group_advantage(tensor_of(reward), groups_of({0, 0}), {}, {}).advantage_S;
  }
  CHECK(gap(masked_whiten(sum, at::ones_like(sum)), tensor_of(golden.at("expected"))) < 1e-4);
}

TEST_CASE("algo: equal rewards give 0 exactly, also where the mean is not exact in binary") {
  const auto reward = at::full({3}, 0.1f);
  for (const auto baseline : {GroupBaseline::grpo, GroupBaseline::dr_grpo, GroupBaseline::rloo}) {
    const auto result = group_advantage(reward, groups_of({4, 4, 4}), {}, {.baseline = baseline, .epsilon = 0});
    CHECK(gap(result.advantage_S, at::zeros({3})) == 0.0);
    CHECK(result.zero_std_groups == 1);
  }
}

TEST_CASE("algo: failed members are left out, and fewer than two give 0") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto reward = numbers({1, nan, 3, 5, nan, 2});
  const auto valid = at::tensor(std::vector<int>{1, 0, 1, 1, 0, 1}).to(at::kBool);
  const auto result =
      group_advantage(reward, groups_of({7, 7, 7, -1, -1, 9}), valid, {.baseline = GroupBaseline::dr_grpo});
  CHECK(gap(result.advantage_S, numbers({-1, 0, 1, 0, 0, 0})) == 0.0);
  CHECK(result.groups == 1);
  CHECK(result.small_groups == 2);
  CHECK(result.zero_std_share() == 0.0);
}

TEST_CASE("algo: Dr.GRPO keeps the scale of the reward, and a constant added to it changes nothing") {
  const auto reward = numbers({0, 1, 4, 7}), group = groups_of({0, 0, 1, 1});
  const GroupAdvantageOptions options = {.baseline = GroupBaseline::dr_grpo};
  const auto plain = group_advantage(reward, group, {}, options).advantage_S;
  CHECK(gap(plain, numbers({-.5, .5, -1.5, 1.5})) == 0.0);
  CHECK(gap(group_advantage(reward + 8, group, {}, options).advantage_S, plain) == 0.0);
}

TEST_CASE("algo: without a group the reward is compared with the greedy answer, or with nothing") {
  const auto reward = numbers({1, 3, 5}), greedy = numbers({0.5, 4, std::nan("")});
  const auto remax = group_advantage(reward, groups_of({0, 1, 2}), {}, {.baseline = GroupBaseline::greedy}, greedy);
  CHECK(gap(remax.advantage_S, numbers({0.5, -1, 0})) == 0.0);
  CHECK(remax.small_groups == 0);
  const auto failed = numbers({1, 0, 1}) != 0;
  const auto plain = group_advantage(reward, groups_of({0, 1, 1}), failed, {.baseline = GroupBaseline::none});
  CHECK(gap(plain.advantage_S, numbers({1, 0, 5})) == 0.0);
  const auto equal = group_advantage(numbers({2, 2}), groups_of({7, 7}), {}, {.baseline = GroupBaseline::none});
  CHECK(gap(equal.advantage_S, numbers({2, 2})) == 0.0);
  CHECK(equal.zero_std_groups == 1);
}
