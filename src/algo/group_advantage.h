#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace hone {

/// What an episode's reward is compared with inside its group (the episodes of one prompt):
///     grpo     (r - mean) / (std + ε)    Shao et al. 2024
///     dr_grpo  r - mean                  Liu et al. 2025
///     rloo     r - mean of the others    Kool et al. 2019, Ahmadian et al. 2024
enum class GroupBaseline { grpo, dr_grpo, rloo };
inline constexpr std::array<std::string_view, 3> group_baseline_names = {"grpo", "dr_grpo", "rloo"};

struct GroupAdvantageOptions {
  GroupBaseline baseline = GroupBaseline::grpo;
  bool unbiased = true;   ///< the std divides by n - 1
  double epsilon = 1e-6;  ///< TRL adds 1e-4, NeMo-RL and verl 1e-6 or less
};

struct GroupAdvantages {
  at::Tensor advantage_S;            ///< the type of reward_S
  at::Tensor baseline_S;             ///< float64: what was subtracted
  at::Tensor std_S;                  ///< float64: of the members that the baseline averages
  std::int64_t groups = 0;           ///< with at least two valid members
  std::int64_t zero_std_groups = 0;  ///< of those, the ones whose rewards are all equal: nothing to learn from
  std::int64_t small_groups = 0;     ///< fewer than two valid members
  double zero_std_share() const {
    return groups == 0 ? 0.0 : static_cast<double>(zero_std_groups) / static_cast<double>(groups);
  }
};

/// Advantage of each episode within its group; equal numbers in group_S (any int64 values, any order) mark one group.
/// valid_S (bool, undefined: all) leaves failed episodes out of the statistics and gives them 0. A group whose valid
/// rewards are all equal, or with fewer than two of them, has advantage 0 exactly: never NaN.
GroupAdvantages group_advantage(const at::Tensor& reward_S, const at::Tensor& group_S, const at::Tensor& valid_S,
                                const GroupAdvantageOptions& options);

}  // namespace hone
