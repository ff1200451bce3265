#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace hone {

/// What an episode's reward is compared with, inside its group (the episodes of one prompt) or without one:
///     grpo     (r - mean) / (std + ε)    Shao et al. 2024
///     dr_grpo  r - mean                  Liu et al. 2025
///     rloo     r - mean of the others    Kool et al. 2019, Ahmadian et al. 2024
///     greedy   r - that of the greedy answer to the same prompt    ReMax, Li et al. 2023
///     none     r                         REINFORCE++, Hu 2025, which whitens over the batch afterwards
enum class GroupBaseline { grpo, dr_grpo, rloo, greedy, none };
inline constexpr std::array<std::string_view, 5> group_baseline_names = {"grpo", "dr_grpo", "rloo", "greedy", "none"};

/// Whether it averages over the group, and so needs two members.
constexpr bool compares_members(GroupBaseline baseline) {
  return baseline != GroupBaseline::greedy && baseline != GroupBaseline::none;
}

struct GroupAdvantageOptions {
  GroupBaseline baseline = GroupBaseline::grpo;
  bool unbiased = true;   ///< the std divides by n - 1
  double epsilon = 1e-6;  ///< TRL adds 1e-4, NeMo-RL and verl 1e-6 or less
};

struct GroupAdvantages {
  at::Tensor advantage_S;            ///< the type of reward_S
  at::Tensor baseline_S;             ///< float64: what was subtracted
  at::Tensor std_S;                  ///< float64: of the members that the baseline averages
  at::Tensor scale_S;                ///< float64: what the difference was multiplied by; 0 where the advantage is 0
  std::int64_t groups = 0;           ///< with at least two valid members
  std::int64_t zero_std_groups = 0;  ///< of those, the ones whose rewards are all equal: nothing to learn from
  std::int64_t small_groups = 0;     ///< fewer than two valid members
  double zero_std_share() const {
    return groups == 0 ? 0.0 : static_cast<double>(zero_std_groups) / static_cast<double>(groups);
  }
};

/// Advantage of each episode; equal numbers in group_S (any int64 values, any order) mark one group. valid_S (bool,
/// undefined: all) leaves failed episodes out of the statistics and gives them 0. Where members are compared, a group
/// whose valid rewards are all equal, or with fewer than two of them, has advantage 0 exactly: never NaN. greedy_S: the
/// rewards of the greedy answers, for that baseline; NaN where there is none: advantage 0.
GroupAdvantages group_advantage(const at::Tensor& reward_S, const at::Tensor& group_S, const at::Tensor& valid_S,
                                const GroupAdvantageOptions& options, const at::Tensor& greedy_S = {});

}  // namespace hone
