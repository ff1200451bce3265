#pragma once

#include <functional>
#include <memory>

#include "algo/preference_loss.h"
#include "stages/pair_objective.h"

namespace hone {

/// The metrics of one side of TRL's names: rewards/chosen, rewards/rejected, rewards/accuracies, rewards/margins,
/// logps/chosen, logps/rejected and, where the loss has that term, nll_loss.
void add_preference_metrics(const PairLogprobs& pairs, const PreferenceOutcome& outcome,
                            const PreferenceOptions& options, const std::string& prefix, Metrics& metrics);

/// Pairs compared by a loss of algo/preference_loss.h. What the reference gives to every answer is computed once,
/// before the first step, and kept in checkpoints: there is no second model while the first one learns.
class PreferenceObjective : public PairObjective {
 public:
  /// Makes the reference; the model that learns itself when empty.
  using MakeReference = std::function<std::unique_ptr<Model>()>;

  PreferenceObjective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass, const PreferenceOptions& options,
                      MakeReference make_reference)
      : PairObjective(run, std::move(rows), tokens_per_pass),
        options_(options),
        make_reference_(std::move(make_reference)) {}

  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override;
  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override;
  MetricValues take_metrics() override;
  void exchange(TrainerState& state) override;
  MetricValues evaluate() override;
  std::vector<Headline> headlines() const override {
    return {{"eval/rewards/accuracies", "accuracy (pairs)"}, {"eval/loss", "loss"}};
  }

 private:
  void measure_reference();
  /// logprob_S: chosen, rejected, chosen … of the pairs whose numbers are pair_P.
  PairLogprobs compared(const Batch& batch, const at::Tensor& logprob_S, const at::Tensor& reference_S) const;

  const PreferenceOptions& options_;
  MakeReference make_reference_;
  at::Tensor reference_, held_out_reference_;  ///< chosen, rejected, chosen … of all pairs; undefined: not yet measured
  Metrics metrics_;
};

}  // namespace hone
