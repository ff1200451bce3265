#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fields.h"
#include "nn/parameter_store.h"
#include "report/metrics.h"
#include "stages/trainer_state.h"

namespace hone {

/// When a stage ends before its last step, and which weights it keeps.
struct StoppingConfig {
  std::optional<std::string> metric;
  std::optional<double> at_least, at_most;
  std::optional<std::string> best;
  bool best_is_lowest = false;
  std::int64_t patience = 0;
  double least_gain = 0;

  void describe(Fields& f) {
    f.field("metric", metric, "Stop when this evaluation metric reaches a value.");
    f.field("at_least", at_least, "… is at least this.");
    f.field("at_most", at_most, "… is at most this.");
    f.field("best", best,
            "Keep the weights with the best value of this evaluation metric, not the last ones; they also stay as the model "
            "directory `best` among the stage's checkpoints.");
    f.field("best_is_lowest", best_is_lowest,
            "Lower is better; known without it of losses, perplexities and errors.");
    f.field("patience", patience, "Stop after so many evaluations without a better value; 0: never.", hone::at_least(0));
    f.field("least_gain", least_gain, "How much better a value has to be to count as progress for patience.",
            hone::at_least(0));
    f.check(!metric || at_least || at_most, "metric", "needs at_least or at_most");
    f.check(metric || (!at_least && !at_most), "at_least", "needs metric");
    f.check(patience == 0 || best, "patience", "needs best");
    f.check(least_gain == 0 || patience > 0, "least_gain", "needs patience");
  }
  /// Whether a lower value of `best` is better: as told, or of a metric whose name ends in loss, perplexity, mse, mae,
  /// rmse, ece or error.
  bool lower_is_better() const;
};

/// Watches evaluations.
class Stopping {
 public:
  explicit Stopping(const StoppingConfig& config) : config_(config) {}

  struct Verdict {
    bool is_best = false;  ///< the weights of now are the best so far
    std::string stop;      ///< why to stop; empty: go on
  };
  /// Error{config} when a metric that the configuration names is not among those measured; the message lists them.
  Verdict observe(const MetricValues& metrics);
  bool keeps_best() const { return config_.best.has_value(); }
  std::optional<double> best() const { return best_; }
  void exchange(TrainerState& state);

 private:
  double value_of(const std::string& name, const MetricValues& metrics) const;

  StoppingConfig config_;
  std::optional<double> best_;
  std::optional<double> progress_;  ///< the value that patience measures from
  std::int64_t without_progress_ = 0;
};

/// A copy of the best weights so far.
class BestWeights {
 public:
  void keep(ParameterStore& store) { weights_ = store.weights().clone(); }
  /// Puts them back; does nothing when none were kept.
  void restore(ParameterStore& store) const;
  void exchange(TrainerState& state);

 private:
  at::Tensor weights_;
};

}  // namespace hone
