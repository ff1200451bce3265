#include "stages/ppo_member.h"

#include "algo/gae.h"
#include "algo/masked.h"
#include "algo/token_rewards.h"
#include "algo/value_loss.h"
#include "base/error.h"
#include "nn/layers.h"
#include "rollout/pack.h"
#include "stages/loss_passes.h"
#include "stages/model_directory.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

const at::Tensor& critic_mask(const Batch& batch) {
  return batch.critic_mask_T.defined() ? batch.critic_mask_T : batch.mask_T;
}

/// The trunk of a reward model, and its score head as the value head.
void copy_scorer(Model& critic, const Run& run, const std::string& stage_or_directory) {
  const std::filesystem::path place = run.model_place(stage_or_directory);
  const HeadPlan plan = read_head_plan(place);
  if (plan.scores != 1) {
    fail(ErrorKind::config, "critic.from: {} has {}; expected a reward model, with one score", place.string(),
         plan.scores == 0 ? "no score head" : std::to_string(plan.scores) + " scores");
  }
  Model scorer(*run.policy, plan, run.compute, false);
  load_weights(scorer, place);
  critic.copy_weights(scorer, false);
  critic.store.find("value").weight().copy_(scorer.store.find("score").weight());
  if (const Parameter bias = scorer.store.find("score.bias"); bias.defined()) {
    critic.store.find("value.bias").weight().copy_(bias.weight());
  }
  critic.store.refresh();
}

}  // namespace

PpoMember::PpoMember(Run& run, const PpoSpec& spec) : run_(run), spec_(spec) {
  if (spec.critic.trunk == CriticTrunk::shared) return;
  own_ = std::make_unique<Model>(*run.policy, HeadPlan{.lm = false, .value = true}, run.compute, true, run.tuning);
  own_->store.initialize(run.seed);
  if (spec.critic.from) {
    copy_scorer(*own_, run, *spec.critic.from);
  } else {
    own_->copy_weights(*run.model);
  }
  OptimizerConfig config = spec.rl.optimizer;
  config.names_must_exist = false;
  if (spec.critic.learning_rate > 0) config.learning_rate = spec.critic.learning_rate;
  optimizer_.emplace(own_->store, config, spec.rl.optimizer_steps());
}

void PpoMember::use_passes(const PassPlan& passes) {
  passes_ = passes;
  if (own_ != nullptr) passes.apply(*own_);
}

std::int64_t PpoMember::later_bytes() const {
  return own_ == nullptr ? 0 : static_cast<std::int64_t>(own_->store.grads().nbytes());
}

void PpoMember::assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) {
  if (!batch.value_T.defined()) batch.value_T = batch_values(critic(), batch, spec_.rl.tokens_per_pass);
  const ScorePosition position = spec_.rl.compat.score_position;
  const at::Tensor credit_T = credit_mask(batch.start_S1, batch.mask_T, position);
  if (position != ScorePosition::last_token) batch.critic_mask_T = credit_T;
  at::Tensor reward_T = verdicts.reward_T;
  if (spec_.whiten_rewards) reward_T = masked_whiten(reward_T, credit_T, {.add_mean_back = true});
  const Advantages advantages = gae(reward_T, batch.value_T, batch.start_S1, credit_T, verdicts.truncated_S, spec_.gae);
  batch.return_T = advantages.return_T;
  if (spec_.critic.lambda) {
    GaeOptions of_critic = spec_.gae;
    of_critic.lambda = *spec_.critic.lambda;
    batch.return_T = gae(reward_T, batch.value_T, batch.start_S1, credit_T, verdicts.truncated_S, of_critic).return_T;
  }
  batch.advantage_T =
      spec_.whiten_advantages ? masked_whiten(advantages.advantage_T, batch.mask_T) : advantages.advantage_T * batch.mask_T;
  metrics.emplace_back("explained_variance", explained_variance(batch.value_T, batch.return_T, credit_T));
  metrics.emplace_back("value_mean", masked_mean(batch.value_T, credit_T));
}

at::Tensor PpoMember::loss_term(const at::Tensor& hidden_MD, const Batch& micro, const LossRows& rows) {
  if (own_ != nullptr) return {};
  return spec_.critic.coefficient * loss_of((*run_.model->value)(hidden_MD).squeeze(1), micro, rows);
}

bool PpoMember::update_beside(const Batch& minibatch) {
  ++minibatches_;
  if (own_ == nullptr) return true;
  const double factor = spec_.rl.compat.scale_critic ? spec_.critic.coefficient : 1.0;
  for (const LossPass& pass : loss_passes(spec_.rl, passes_.tokens, minibatch, critic_mask(minibatch))) {
    const Batch micro = pick_sequences(minibatch, pass.sequences);
    const LossRows rows = loss_rows(spec_.rl.aggregation, micro.start_S1, critic_mask(micro), pass.denominator);
    if (rows.size() == 0) continue;
    const at::Tensor hidden_MD = take_rows(batch_hidden(*own_, micro), rows.index_M);
    (factor * loss_of((*own_->value)(hidden_MD).squeeze(1), micro, rows)).backward();
  }
  const StepReport step = optimizer_->step(1.0);
  grad_norm_sum_ += step.grad_norm;
  return !step.skipped;
}

void PpoMember::report(MetricValues& metrics) {
  metrics.emplace_back("value_loss", minibatches_ == 0 ? 0.0 : loss_sum_ / minibatches_);
  metrics.emplace_back("value_clip_ratio", rows_ == 0 ? 0.0 : clipped_ / rows_);
  if (own_ != nullptr) metrics.emplace_back("critic_grad_norm", minibatches_ == 0 ? 0.0 : grad_norm_sum_ / minibatches_);
  loss_sum_ = clipped_ = minibatches_ = rows_ = grad_norm_sum_ = 0;
}

void PpoMember::exchange(TrainerState& state) {
  if (own_ == nullptr) return;
  state.store("critic", own_->store);
  state.optimizer("critic.optimizer", *optimizer_);
}

at::Tensor PpoMember::loss_of(const at::Tensor& value_M, const Batch& micro, const LossRows& rows) {
  const std::optional<double> clip =
      spec_.critic.clip > 0 ? std::optional<double>(spec_.critic.clip) : std::nullopt;
  const ValueLoss value =
      value_loss(value_M, rows.select(micro.value_T), rows.select(micro.return_T), rows, clip);
  loss_sum_ += value.loss.item<double>();
  clipped_ += value.clipped;
  rows_ += static_cast<double>(rows.size());
  return value.loss;
}

}  // namespace hone
