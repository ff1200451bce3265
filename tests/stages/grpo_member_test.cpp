#include "stages/grpo_member.h"

#include <cmath>

#include "algo/packed.h"
#include "stages/grpo_presets.h"
#include "support/golden.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Two groups of two episodes of 4 rows with 3, 2, 3 and 1 actions, from their second row on.
struct Collection {
  Collection() {
    batch.start_S1 = starts_of({4, 4, 4, 4});
    batch.mask_T = numbers({0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0}).to(at::kFloat);
    batch.group_S = at::tensor({0, 0, 1, 1}, at::kLong);
    verdicts.valid_S = at::ones({4}, at::kBool);
    verdicts.reward_T = at::zeros({16}, at::kFloat);
  }
  void reward(std::int64_t row, double value) { verdicts.reward_T[row] += value; }
  void span(std::int64_t row, double value) {
    reward(row, value);
    verdicts.spans.push_back({row, value});
  }
  at::Tensor advantages(const GrpoSpec& spec) {
    MetricValues metrics;
    GrpoMember(spec).assign(batch, verdicts, metrics);
    return batch.advantage_T;
  }
  Batch batch;
  Verdicts verdicts;
};

double value_of(const at::Tensor& stream, std::int64_t row) { return stream[row].item<double>(); }

}  // namespace

TEST_CASE("stages: every token of an episode has the advantage of its whole reward") {
  Collection collection;
  collection.reward(3, 1);
  collection.reward(1, -0.5);  // a penalty on the first token
  const at::Tensor advantage_T = collection.advantages(DrGrpoSpec());
  CHECK(gap(advantage_T, numbers({0, .25, .25, .25, 0, -.25, -.25, 0, 0, 0, 0, 0, 0, 0, 0, 0})) < 1e-7);
}

TEST_CASE("stages: rewards to come leave out what came before, and are discounted") {
  Collection collection;
  collection.reward(1, -0.5);
  collection.reward(3, 1);
  collection.reward(6, 2);
  GrpoSpec spec;
  spec.group.baseline = GroupBaseline::none;
  spec.credit = Credit::to_come;
  spec.gamma = 0.5;
  CHECK(gap(collection.advantages(spec), numbers({0, -.25, .5, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0})) < 1e-7);
}

TEST_CASE("stages: reinforce++ whitens the rewards to come over all tokens") {
  Collection collection;
  for (const auto& [row, value] : {std::pair(3, 1.0), std::pair(6, -1.0), std::pair(11, 0.5)}) collection.reward(row, value);
  const at::Tensor advantage_T = collection.advantages(ReinforcePlusPlusSpec());
  const at::Tensor counted = advantage_T.masked_select(collection.batch.mask_T != 0).to(at::kDouble);
  CHECK(counted.mean().item<double>() == doctest::Approx(0).epsilon(1e-6));
  CHECK(counted.std().item<double>() == doctest::Approx(1).epsilon(1e-6));
  CHECK(value_of(advantage_T, 1) == value_of(advantage_T, 3));
  CHECK(value_of(advantage_T, 13) > value_of(advantage_T, 5));
}

TEST_CASE("stages: remax compares with the greedy answer, and learns nothing where there is none") {
  Collection collection;
  for (const std::int64_t row : {3, 6, 11}) collection.reward(row, 1);
  collection.verdicts.greedy_S = numbers({0.25, 0.25, std::nan(""), std::nan("")});
  CHECK(gap(collection.advantages(RemaxSpec()), numbers({0, .75, .75, .75, 0, .75, .75, 0, 0, 0, 0, 0, 0, 0, 0, 0})) <
        1e-7);
}

TEST_CASE("stages: gdpo compares each reward by itself before it is weighted") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json golden = golden_case(folder, "advantages.json", "nemo_gdpo");
  Collection collection;
  collection.batch.start_S1 = starts_of({1, 1});
  collection.batch.mask_T = at::ones({2}, at::kFloat);
  collection.batch.group_S = at::zeros({2}, at::kLong);
  collection.verdicts.valid_S = at::ones({2}, at::kBool);
  collection.verdicts.reward_T = at::zeros({2}, at::kFloat);
  for (const auto& [name, reward] : golden.at("inputs").at("rewards").as_object()) {
    collection.verdicts.parts.push_back({.value_S = tensor_of(reward), .valid_S = at::ones({2}, at::kBool)});
  }
  CHECK(gap(collection.advantages(GdpoSpec()), tensor_of(golden.at("expected"))) < 1e-4);
  for (RewardPart& part : collection.verdicts.parts) part.weight = 0;
  collection.verdicts.parts[0].valid_S = at::zeros({2}, at::kBool);
  CHECK(gap(collection.advantages(GdpoSpec()), numbers({0, 0})) == 0.0);
}

TEST_CASE("stages: steps are compared with the steps of their group, and credited to what led to them") {
  Collection collection;
  collection.span(1, 1);  // the first episode's steps: 1, then 0
  collection.span(3, 0);
  collection.span(5, 2);  // the second's: 2
  collection.reward(6, 1);  // and it was right in the end
  GrpoSpec spec;
  spec.group.baseline = GroupBaseline::dr_grpo;
  spec.credit = Credit::process;
  // Steps 1, 0, 2 have mean 1; scores 0 and 1 have mean 0.5.
  CHECK(gap(collection.advantages(spec), numbers({0, -1.5, -1.5, -1.5, 0, 1.5, .5, 0, 0, 0, 0, 0, 0, 0, 0, 0})) < 1e-7);
}

TEST_CASE("stages: a failed episode has no advantage in any of the family") {
  for (const GroupBaseline baseline : {GroupBaseline::grpo, GroupBaseline::rloo, GroupBaseline::none}) {
    for (const Credit credit : {Credit::episode, Credit::to_come, Credit::process}) {
      Collection collection;
      collection.span(1, 1);
      collection.reward(3, 1);
      collection.reward(6, 2);
      collection.batch.mask_T.slice(0, 0, 4).zero_();
      collection.verdicts.valid_S[0] = false;
      GrpoSpec spec;
      spec.group.baseline = baseline;
      spec.credit = credit;
      const at::Tensor advantage_T = collection.advantages(spec);
      CHECK(gap(advantage_T.slice(0, 0, 4), numbers({0, 0, 0, 0})) == 0.0);
      CHECK(!advantage_T.isnan().any().item<bool>());
    }
  }
}
