#include "stages/grpo.h"

#include "algo/loss_rows.h"
#include "stages/model_kind.h"
#include "stages/rl_loop.h"

namespace hone {

namespace {

class GrpoMember : public RlMember {
 public:
  explicit GrpoMember(const GroupAdvantageOptions& options) : options_(options) {}

  void assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) override {
    const at::Tensor sequence_T = sequence_of_rows(batch.start_S1);
    const at::Tensor reward_S =
        at::zeros({batch.sequences()}, at::kFloat).index_add_(0, sequence_T, verdicts.reward_T);
    const GroupAdvantages group = group_advantage(reward_S, batch.group_S, verdicts.valid_S, options_);
    batch.advantage_T = group.advantage_S.index_select(0, sequence_T) * batch.mask_T;
    metrics.emplace_back("frac_reward_zero_std", group.zero_std_share());
    if (group.small_groups > 0) metrics.emplace_back("small_groups", static_cast<double>(group.small_groups));
  }

 private:
  const GroupAdvantageOptions& options_;
};

}  // namespace

void GrpoSpec::describe_stage(Fields& f) {
  rl.describe(f);
  f.choice("baseline", group.baseline, group_baseline_names,
           "What a reward is compared with: grpo (mean and deviation of the group), dr_grpo (mean), rloo (mean of the "
           "others).");
  f.field("std_epsilon", group.epsilon, "Added to the group's standard deviation.", at_least(0));
  f.check(rl.samples > 1, "samples", "must be at least 2: a group of one has nothing to be compared with");
}

StageSummary GrpoSpec::run(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "reinforcement learning needs a model that continues its prompts");
  run.use_heads({});
  GrpoMember member(group);
  return RlLoop(run, rl, name, member).run();
}

}  // namespace hone
