#include "stages/stopping.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 7> falling = {"loss", "perplexity", "mse", "mae", "rmse", "ece", "error"};

/// Whether `value` is better than `than` by more than `gain`. Any number is better than none.
bool better(double value, double than, double gain, bool lower) {
  if (std::isnan(than)) return !std::isnan(value);
  return lower ? value < than - gain : value > than + gain;
}

}  // namespace

bool StoppingConfig::lower_is_better() const {
  const std::string& name = *best;
  return best_is_lowest ||
         std::any_of(falling.begin(), falling.end(), [&](std::string_view end) { return name.ends_with(end); });
}

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
    const bool lower = config_.lower_is_better();
    verdict.is_best = !best_ || better(value, *best_, 0, lower);
    if (verdict.is_best) best_ = value;
    const bool progress = !progress_ || better(value, *progress_, config_.least_gain, lower);
    if (progress) progress_ = value;
    without_progress_ = progress ? 0 : without_progress_ + 1;
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
  state.value("stopping.progress", progress_);
  state.value("stopping.without_progress", without_progress_);
}

void BestWeights::exchange(TrainerState& state) { state.optional_tensor("best", weights_); }

void BestWeights::restore(ParameterStore& store) const {
  if (!weights_.defined()) return;
  store.weights().copy_(weights_);
  store.refresh();
}

}  // namespace hone
