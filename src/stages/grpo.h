#pragma once

#include <array>
#include <string_view>

#include "algo/group_advantage.h"
#include "stages/rl_config.h"
#include "stages/stage.h"

namespace hone {

/// Which tokens of an episode a reward is credited to.
///     episode   all of them, whenever it came
///     to_come   those up to where it came (discounted): turns and steps are told apart
///     process   the same, with the rewards in the middle of episodes normalised by themselves: each is compared with
///               all of its group's (Shao et al. 2024, section 4.1.3), the scores at the end with each other
enum class Credit { episode, to_come, process };
inline constexpr std::array<std::string_view, 3> credit_names = {"episode", "to_come", "process"};

/// Whether a group is compared by the weighted sum of the rewards, or by each of them before they are weighted and summed
/// (GDPO, Liu et al. 2026).
enum class CompareRewards { sum, each };
inline constexpr std::array<std::string_view, 2> compare_rewards_names = {"sum", "each"};

/// Zero mean and unit variance of the advantages afterwards, over what the iteration collected.
enum class Whiten { off, episodes, tokens };
inline constexpr std::array<std::string_view, 3> whiten_names = {"off", "episodes", "tokens"};

/// Group-relative policy optimization (Shao et al. 2024): PPO's loop and loss, advantages from the episodes of the same
/// prompt instead of a critic. Its relatives are other defaults of the same fields (stages/grpo_presets.h). See
/// docs/stages/grpo.md.
class GrpoSpec : public StageSpec {
 public:
  RlConfig rl;
  GroupAdvantageOptions group;
  Credit credit = Credit::episode;
  double gamma = 1;
  CompareRewards compare = CompareRewards::sum;
  Whiten whiten = Whiten::off;

  GrpoSpec() { rl.samples = 8; }
  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return rl.data_names(); }
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return rl.rewards; }
  StageArithmetic arithmetic() const override { return rl.arithmetic(); }
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
