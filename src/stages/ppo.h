#pragma once

#include <optional>
#include <string>

#include "algo/gae.h"
#include "stages/rl_config.h"
#include "stages/stage.h"

namespace hone {

enum class CriticTrunk { shared, separate };
inline constexpr std::array<std::string_view, 2> critic_trunk_names = {"shared", "separate"};

struct CriticConfig {
  CriticTrunk trunk = CriticTrunk::shared;
  double learning_rate = 0;
  double coefficient = 0.1;
  double clip = 0.2;
  std::optional<double> lambda;
  std::int64_t warmup_iterations = 0;
  std::optional<std::string> from;
  void describe(Fields& f);
};

/// Proximal policy optimization (Schulman et al. 2017) with generalized advantage estimation. See docs/stages/ppo.md.
class PpoSpec : public StageSpec {
 public:
  RlConfig rl;
  CriticConfig critic;
  GaeOptions gae;
  bool whiten_advantages = true;
  bool whiten_rewards = false;

  PpoSpec() { rl.epochs = 4; }
  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override { return rl.data_names(); }
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return rl.rewards; }
  StageArithmetic arithmetic() const override { return rl.arithmetic(); }
  StageStart prepare(Run& run) const override;
};

}  // namespace hone
