#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hone {

/// A key of the run file and the values that are tried for it.
struct SweepParameter {
  std::string path;                 ///< "stages.ppo.optimizer.learning_rate"
  std::vector<std::string> values;  ///< as YAML; empty: a range
  double low = 0, high = 0;         ///< of a range, both included
  bool logarithmic = false;
  bool integer = false;
};

enum class SweepMethod {
  grid,     ///< every combination of lists
  random,   ///< so many draws
  halving,  ///< draws that get little of a resource; the better ones get more (Jamieson and Talwalkar 2016)
};

/// A file that says which runs to try:
///
///     run: configs/quickstart/arithmetic.yaml       seen from the sweep's file
///     method: halving                               grid, random or halving
///     trials: 9                                     random, halving
///     seed: 1
///     metric: {stage: ppo, name: eval/reward, goal: max}
///     parameters:
///       stages.ppo.epochs: [1, 2, 4]
///       stages.ppo.optimizer.learning_rate: {low: 1.0e-5, high: 1.0e-3, scale: log}
///     resource: {key: stages.ppo.iterations, low: 10, high: 90, factor: 3}      halving
struct SweepConfig {
  std::string name;               ///< of the file
  std::filesystem::path run;
  std::string directory;          ///< where the runs go; default: sweeps/<name>
  SweepMethod method = SweepMethod::grid;
  std::int64_t trials = 0;
  std::int64_t seed = 1;
  std::string stage, metric;
  bool maximize = true;
  std::vector<SweepParameter> parameters;
  std::string resource;           ///< the key that halving raises
  std::int64_t resource_low = 1, resource_high = 1, factor = 3;
};

/// Error{config} lists everything that is wrong.
SweepConfig load_sweep(const std::filesystem::path& file);

/// Overrides of a run: key and value.
using SweepPoint = std::vector<std::pair<std::string, std::string>>;

/// The points to try, in order: all combinations (the last parameter changes fastest), or draws that depend on the seed
/// and their number alone, so that more trials keep the first ones.
std::vector<SweepPoint> sweep_points(const SweepConfig& config);

/// Amounts of the resource from low to high, each `factor` times the one before; the last is high.
std::vector<std::int64_t> sweep_rungs(const SweepConfig& config);

/// The `keep` best of a rung, best first; trials without a value are never kept. Equal values: the earlier trial.
std::vector<std::size_t> best_trials(const std::vector<std::optional<double>>& values, std::size_t keep, bool maximize);

}  // namespace hone
