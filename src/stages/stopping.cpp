#include "stages/stopping.h"

#include "base/error.h"

namespace hone {

double Stopping::value_of(const std::string& name, const MetricValues& metrics) const {
  std::string known;
  for (const auto& [key, value] : metrics) {
    if (key == name) return value;
    known += (known.empty() ? "" : ", ") + key;
  }
  fail(ErrorKind::config, "stop_when: no evaluation metric is called '{}'; this stage measures {}", name, known);
}

Stopping::Verdict Stopping::observe(const MetricValues& metrics) {
  Verdict verdict;
  if (config_.best) {
    const double value = value_of(*config_.best, metrics);
    verdict.is_best = !best_ || (config_.best_is_lowest ? value < *best_ : value > *best_);
    if (verdict.is_best) best_ = value;
    without_progress_ = verdict.is_best ? 0 : without_progress_ + 1;
    if (config_.patience > 0 && without_progress_ >= config_.patience) {
      verdict.stop = fmt::format("{} has not improved on {:.4g} in {} evaluations", *config_.best, *best_,
                                 without_progress_);
    }
  }
  if (config_.metric) {
    const double value = value_of(*config_.metric, metrics);
    const bool high = config_.at_least && value >= *config_.at_least;
    const bool low = config_.at_most && value <= *config_.at_most;
    if (high || low) verdict.stop = fmt::format("{} reached {:.4g}", *config_.metric, value);
  }
  return verdict;
}

void Stopping::exchange(TrainerState& state) {
  state.value("stopping.best", best_);
  state.value("stopping.without_progress", without_progress_);
}

void BestWeights::exchange(TrainerState& state) { state.optional_tensor("best", weights_); }

void BestWeights::restore(ParameterStore& store) const {
  if (!weights_.defined()) return;
  store.weights().copy_(weights_);
  store.refresh();
}

}  // namespace hone
