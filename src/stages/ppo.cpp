#include "stages/ppo.h"

#include "algo/masked.h"
#include "algo/value_loss.h"
#include "nn/layers.h"
#include "rollout/pack.h"
#include "stages/packed_forward.h"
#include "stages/rl_loop.h"

namespace hone {

namespace {

/// The critic, and advantages from its values. A shared critic is a head on the policy's trunk and learns in the
/// policy's own pass; a separate one is a model of the same shape with its own optimizer.
class PpoMember : public RlMember {
 public:
  PpoMember(Run& run, const PpoSpec& spec) : run_(run), spec_(spec) {
    if (spec.critic.trunk == CriticTrunk::shared) return;
    own_ = std::make_unique<Model>(*run.policy, HeadPlan{.value = true}, run.compute, true);
    own_->store.initialize(run.seed);
    own_->copy_weights(*run.model);
    OptimizerConfig config = spec.rl.optimizer;
    if (spec.critic.learning_rate > 0) config.learning_rate = spec.critic.learning_rate;
    optimizer_.emplace(own_->store, config, spec.rl.optimizer_steps());
  }

  void assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) override {
    batch.value_T = batch_values(model(), batch, spec_.rl.tokens_per_pass);
    at::Tensor reward_T = verdicts.reward_T;
    if (spec_.whiten_rewards) reward_T = masked_whiten(reward_T, batch.mask_T, {.add_mean_back = true});
    const Advantages advantages =
        gae(reward_T, batch.value_T, batch.start_S1, batch.mask_T, verdicts.truncated_S, spec_.gae);
    batch.return_T = advantages.return_T;
    batch.advantage_T =
        spec_.whiten_advantages ? masked_whiten(advantages.advantage_T, batch.mask_T) : advantages.advantage_T;
    metrics.emplace_back("explained_variance", explained_variance(batch.value_T, batch.return_T, batch.mask_T));
    metrics.emplace_back("value_mean", masked_mean(batch.value_T, batch.mask_T));
  }

  at::Tensor loss_term(const at::Tensor& hidden_MD, const Batch& micro, const LossRows& rows) override {
    if (own_ != nullptr) return {};
    return spec_.critic.coefficient * loss_of((*run_.model->value)(hidden_MD).squeeze(1), micro, rows);
  }

  bool update_beside(const Batch& minibatch) override {
    ++minibatches_;
    if (own_ == nullptr) return true;
    const Aggregation aggregation = spec_.rl.aggregation;
    const double denominator =
        loss_denominator(aggregation, minibatch.start_S1, minibatch.mask_T, spec_.rl.constant_length);
    for (const auto& cut : cut_by_tokens(minibatch, spec_.rl.tokens_per_pass)) {
      const Batch micro = pick_sequences(minibatch, cut);
      const LossRows rows = loss_rows(aggregation, micro, denominator);
      if (rows.size() == 0) continue;
      const at::Tensor hidden_MD = take_rows(batch_hidden(*own_, micro), rows.index_M);
      loss_of((*own_->value)(hidden_MD).squeeze(1), micro, rows).backward();
    }
    return !optimizer_->step(1.0).skipped;
  }

  void report(MetricValues& metrics) override {
    metrics.emplace_back("value_loss", minibatches_ == 0 ? 0.0 : loss_sum_ / minibatches_);
    metrics.emplace_back("value_clip_ratio", rows_ == 0 ? 0.0 : clipped_ / rows_);
    loss_sum_ = clipped_ = minibatches_ = rows_ = 0;
  }

 private:
  Model& model() { return own_ == nullptr ? *run_.model : *own_; }

  at::Tensor loss_of(const at::Tensor& value_M, const Batch& micro, const LossRows& rows) {
    const std::optional<double> clip =
        spec_.critic.clip > 0 ? std::optional<double>(spec_.critic.clip) : std::nullopt;
    const ValueLoss value =
        value_loss(value_M, rows.select(micro.value_T), rows.select(micro.return_T), rows, clip);
    loss_sum_ += value.loss.item<double>();
    clipped_ += value.clipped;
    rows_ += static_cast<double>(rows.size());
    return value.loss;
  }

  Run& run_;
  const PpoSpec& spec_;
  std::unique_ptr<Model> own_;
  std::optional<Optimizer> optimizer_;
  double loss_sum_ = 0, clipped_ = 0, minibatches_ = 0, rows_ = 0;
};

}  // namespace

void CriticConfig::describe(Fields& f) {
  f.choice("trunk", trunk, critic_trunk_names, "A value head on the policy's trunk, or a model of its own.");
  f.field("learning_rate", learning_rate, "Peak learning rate of the critic's own weights (of the value head when the "
                                          "trunk is shared); 0: as the policy's.",
          at_least(0));
  f.field("coefficient", coefficient, "Weight of the value loss on a shared trunk.", at_least(0));
  f.field("clip", clip, "Values may move so far from those at collection; 0: no clipping.", at_least(0));
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
}

StageSummary PpoSpec::run(Run& run) const {
  run.use_heads({.value = critic.trunk == CriticTrunk::shared});
  PpoMember member(run, *this);
  const bool own_rate = critic.trunk == CriticTrunk::shared && critic.learning_rate > 0;
  return RlLoop(run, rl, name, member, own_rate ? std::optional(critic.learning_rate) : std::nullopt).run();
}

}  // namespace hone
