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

/// Values of one step whose spread says more than their mean: rewards, lengths, advantages.
struct Distribution {
  std::string stage;
  std::int64_t step = 0;
  std::string name;
  std::vector<float> values;
};

/// One episode as people and files see it.
struct SampleRow {
  std::string stage;
  std::int64_t step = 0;
  std::string split;  ///< "train" or "held_out"
  std::string prompt;
  std::string completion;  ///< of all turns, with the environment's replies between them
  std::string finish;      ///< "stop", "length", "env" or "abort"
  std::string status;      ///< "ok", "abstain" or "error"; then `note` says why
  std::string note;
  double reward = 0;
  MetricValues parts;  ///< each reward's own value
  /// One entry for each token that the policy wrote. Advantages are empty where no credit was assigned (held-out
  /// episodes).
  std::vector<std::string> tokens;
  std::vector<float> logprobs;
  std::vector<float> advantages;
};

/// How far a file of the run directory had grown: what a checkpoint keeps and a resumed run cuts it back to.
struct FilePosition {
  std::string file;  ///< name in the run directory
  std::int64_t bytes = 0;
};

/// Where a run's figures go: files, a dashboard. One thread at a time. A sink that fails to write never stops a run: it
/// says so in the log.
class ReportSink {
 public:
  virtual ~ReportSink() = default;
  /// Comes before everything of a stage. first_step > 0: the run was resumed and goes on behind that step; what this sink
  /// holds of later steps is void.
  virtual void stage_started(const std::string& stage, std::int64_t first_step) { (void)stage, (void)first_step; }
  virtual void write(const MetricRow& row) = 0;
  virtual void distribution(const Distribution& values) { (void)values; }
  virtual void sample(const SampleRow& row) { (void)row; }
  /// Flushes. Of the file that a resumed run continues; none when the sink has no such file.
  virtual std::optional<FilePosition> position() { return std::nullopt; }
};

}  // namespace hone
