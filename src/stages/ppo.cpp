#include "stages/ppo.h"

#include "stages/model_kind.h"
#include "stages/ppo_member.h"
#include "stages/rl_loop.h"

namespace hone {

void CriticConfig::describe(Fields& f) {
  f.choice("trunk", trunk, critic_trunk_names, "A value head on the policy's trunk, or a model of its own.");
  f.field("learning_rate", learning_rate, "Peak learning rate of the critic's own weights (of the value head when the "
                                          "trunk is shared); 0: as the policy's.",
          at_least(0));
  f.field("coefficient", coefficient, "Weight of the value loss on a shared trunk.", at_least(0));
  f.field("clip", clip, "Values may move so far from those at collection; 0: no clipping.", at_least(0));
  f.field("lambda", lambda,
          "The critic learns returns of this lambda, whatever the advantages use; 1: what really came (Yuan et al. 2025).",
          between(0, 1));
  f.field("warmup_iterations", warmup_iterations,
          "First iterations in which the critic learns and the policy stays as it is. Separate critic only.", at_least(0));
  f.field("from", from,
          "Reward model whose trunk and score head the critic begins with: an earlier stage or a model directory. Separate "
          "critic only; by default a copy of the policy's trunk and a head that says 0.");
  f.check(trunk == CriticTrunk::separate || warmup_iterations == 0, "warmup_iterations",
          "needs trunk: separate; a shared trunk cannot learn while the policy stays");
  f.check(trunk == CriticTrunk::separate || !from, "from", "needs trunk: separate");
}

void PpoSpec::describe_stage(Fields& f) {
  rl.describe(f);
  f.section("critic", critic, "The value function.");
  f.field("gamma", gae.gamma, "Discount.", between(0, 1));
  f.field("lambda", gae.lambda, "Generalized advantage estimation: 1 trusts returns, 0 the critic.", between(0, 1));
  f.field("bootstrap_truncated", gae.bootstrap_truncated,
          "Continue episodes that ran out of tokens with the critic's value instead of 0.");
  f.field("whiten_advantages", whiten_advantages, "Zero mean and unit variance over the iteration's tokens.");
  f.field("whiten_rewards", whiten_rewards, "Scale token rewards to unit variance, keeping their mean.");
  f.section("compat", rl.compat, "Conventions of other trainers, for comparisons.");
  f.check(rl.compat.score_position == ScorePosition::last_token || critic.trunk == CriticTrunk::separate, "compat",
          "score_position: after_last needs critic.trunk: separate");
  f.check(rl.compat.score_position == ScorePosition::last_token || !gae.bootstrap_truncated, "compat",
          "score_position: after_last goes without bootstrap_truncated");
}

StageStart PpoSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "reinforcement learning needs a model that continues its prompts");
  rl.require_prompts(run);
  return [this, &run] {
    run.use_heads({.value = critic.trunk == CriticTrunk::shared});
    PpoMember member(run, *this);
    const bool own_rate = critic.trunk == CriticTrunk::shared && critic.learning_rate > 0;
    return RlLoop(run, rl, name, member, own_rate ? std::optional(critic.learning_rate) : std::nullopt).run();
  };
}

}  // namespace hone
