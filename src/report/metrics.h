#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hone {

/// Metric names and values, in the order in which they are shown and written.
using MetricValues = std::vector<std::pair<std::string, double>>;

/// Collects named values of one step and gives their means: add() once a minibatch, values() at the end of the step.
/// Names keep the order of their first add.
class Metrics {
 public:
  /// Weighted mean: weight is the number of tokens, episodes, … that the value stands for. A weight of 0 only reserves
  /// the name's place.
  void add(std::string_view name, double value, double weight = 1.0);
  void add(const MetricValues& values, double weight = 1.0);
  /// Forgets what was added under this name: for values that are no means (a learning rate, a rate).
  void set(std::string_view name, double value);
  std::optional<double> value(std::string_view name) const;
  /// Names without weight are left out.
  MetricValues values() const;
  void clear() { sums_.clear(); }

 private:
  struct Sum {
    std::string name;
    double total = 0;
    double weight = 0;
  };
  Sum& sum(std::string_view name);
  std::vector<Sum> sums_;
};

/// What one step of a stage measured.
struct MetricRow {
  std::string stage;
  std::int64_t step = 0;
  double seconds = 0;  ///< since the stage started
  MetricValues values;
};

/// Where rows go: a file, a dashboard. One thread at a time.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void write(const MetricRow& row) = 0;
};

}  // namespace hone
