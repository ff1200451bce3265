#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/metrics.h"
#include "stages/trainer_state.h"

namespace hone {

/// What a row of metrics tells of the steps since the one before. Names keep the order of their first use.
class StepMeans {
 public:
  /// The mean over the steps; values that are not finite count only where there are no others.
  void mean(std::string_view name, double value);
  /// The value of the last step.
  void last(std::string_view name, double value);
  /// The sum of amounts over that of seconds, of this process alone: checkpoints hold nothing that depends on the clock.
  void rate(std::string_view name, double amount, double seconds);

  /// The row; then nothing is kept.
  MetricValues take();
  void exchange(TrainerState& state);

 private:
  struct Entry {
    std::string name;
    double sum = 0;
    double weight = 0;
    double other = 0;  ///< shown while weight is 0
    bool clocked = false;
  };
  Entry& entry(std::string_view name);

  std::vector<Entry> entries_;
};

}  // namespace hone
