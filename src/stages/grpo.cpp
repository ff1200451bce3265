#include "stages/grpo.h"

#include <algorithm>

#include "stages/grpo_member.h"
#include "stages/model_kind.h"
#include "stages/rl_loop.h"

namespace hone {

void GrpoSpec::describe_stage(Fields& f) {
  rl.describe(f);
  f.choice("baseline", group.baseline, group_baseline_names,
           "What a reward is compared with: grpo (mean and deviation of the group), dr_grpo (mean), rloo (mean of the "
           "others), greedy (the greedy answer's), none.");
  f.field("std_epsilon", group.epsilon, "Added to the group's standard deviation.", at_least(0));
  f.choice("credit", credit, credit_names,
           "Every token has its episode's advantage, or the rewards still to come count; process compares rewards in the "
           "middle of episodes by themselves.");
  f.field("gamma", gamma, "Discount of rewards to come.", between(0, 1));
  f.choice("compare", compare, compare_rewards_names,
           "Groups are compared by the sum of the rewards, or by each reward before they are weighted and summed.");
  f.choice("whiten", whiten, whiten_names,
           "Zero mean and unit variance of the advantages over the iteration's episodes or tokens.");
  const bool greedy = group.baseline == GroupBaseline::greedy;
  const auto normalised = [](const auto& reward) { return reward->term.normalize != Normalize::off; };
  f.check(rl.samples > 1 || !compares_members(group.baseline), "samples",
          "must be at least 2: a group of one has nothing to be compared with");
  f.check(gamma == 1 || credit != Credit::episode, "gamma", "needs credit: to_come or process");
  f.check(!greedy || (!rl.rollout.replay && rl.rollout.max_lag == 0 && rl.past.groups == 0 && !rl.shuffle_rewards),
          "baseline", "greedy goes without replay, lag, past groups and shuffled rewards");
  f.check(!greedy || std::ranges::none_of(rl.rewards, normalised), "baseline",
          "greedy goes without normalised rewards: the greedy answer's is not");
  f.check(!greedy || credit != Credit::process, "credit", "process compares steps with each other, not with a greedy answer's");
  const bool each = compare == CompareRewards::each;
  f.check(!each || credit == Credit::episode, "compare", "each needs credit: episode");
  f.check(!each || compares_members(group.baseline), "compare", "each needs a baseline of the group");
  f.check(!each || (rl.kl.place != KlPlace::reward && rl.missing_eos_penalty == 0), "compare",
          "each goes without a KL penalty in the reward and without missing_eos_penalty");
  f.check(!each || std::ranges::none_of(rl.rewards, normalised), "compare", "each normalises rewards itself");
}

StageStart GrpoSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "reinforcement learning needs a model that continues its prompts");
  rl.require_prompts(run);
  return [this, &run] {
    run.use_heads({});
    GrpoMember member(*this);
    return RlLoop(run, rl, name, member).run();
  };
}

}  // namespace hone
