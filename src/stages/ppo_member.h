#pragma once

#include <memory>
#include <optional>

#include "optim/optimizer.h"
#include "stages/ppo.h"
#include "stages/rl_member.h"
#include "stages/run.h"

namespace hone {

/// The critic, and advantages from its values. A shared critic is a head on the policy's trunk and learns in the
/// policy's own pass; a separate one is a model of the same shape with its own optimizer.
class PpoMember : public RlMember {
 public:
  /// Both are borrowed. With a shared critic the run's model needs its value head.
  PpoMember(Run& run, const PpoSpec& spec);

  std::int64_t frozen_iterations() const override { return spec_.critic.warmup_iterations; }
  void use_passes(const PassPlan& passes) override;
  std::int64_t later_bytes() const override;
  void assign(Batch& batch, const Verdicts& verdicts, MetricValues& metrics) override;
  at::Tensor loss_term(const at::Tensor& hidden_MD, const Batch& micro, const LossRows& rows) override;
  bool update_beside(const Batch& minibatch) override;
  void report(MetricValues& metrics) override;
  void exchange(TrainerState& state) override;

  /// The model whose value head is the critic.
  Model& critic() { return own_ == nullptr ? *run_.model : *own_; }

 private:
  at::Tensor loss_of(const at::Tensor& value_M, const Batch& micro, const LossRows& rows);

  Run& run_;
  const PpoSpec& spec_;
  std::unique_ptr<Model> own_;
  std::optional<Optimizer> optimizer_;
  PassPlan passes_;
  double loss_sum_ = 0, clipped_ = 0, minibatches_ = 0, rows_ = 0, grad_norm_sum_ = 0;
};

}  // namespace hone
