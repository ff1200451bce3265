#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/order.h"
#include "flow/environment.h"
#include "report/metrics.h"
#include "stages/trainer_state.h"

namespace hone {

/// Easier environments before the stage's own one.
struct CurriculumConfig {
  std::vector<std::unique_ptr<EnvironmentSpec>> levels;
  double success_at = 1;
  double advance_at = 0.8;
  std::int64_t window = 4;
  void describe(Fields& f);
};

/// Which environment an iteration's prompts come from, and which prompts.
///
///     level 0 ──► level 1 ──► … ──► the stage's environment
///
/// A level is left when, over the last `window` iterations on it, the share of episodes whose score reaches
/// `success_at` is at least `advance_at`. Failed episodes do not count. Without levels it is the environment alone.
class Curriculum {
 public:
  /// `stage` names the random streams. The services are used now.
  Curriculum(const CurriculumConfig& config, const EnvironmentSpec& environment, const Services& services,
             const std::string& stage);

  Environment& target() { return *levels_.back().environment; }
  std::size_t level() const { return position_.level; }
  Environment& environment(std::size_t level) { return *levels_[level].environment; }
  /// Indices of the next prompts of the current level.
  std::vector<std::uint64_t> next_prompts(std::int64_t count);

  /// What came of an iteration that was drawn at `level`.
  void observe(std::size_t level, std::span<const Episode> episodes, MetricValues& metrics);

  /// What exchange() saves is the place now.
  void iteration_done();
  void exchange(TrainerState& state);

 private:
  struct Level {
    std::unique_ptr<Environment> environment;
    RowOrder prompts;
  };
  struct Position {
    std::size_t level = 0;
    std::vector<double> successes;  ///< shares of the last iterations on this level
  };

  double success_at_, advance_at_;
  std::int64_t window_;
  std::vector<Level> levels_;
  Position position_;
  Position complete_;                       ///< when the last complete iteration ended
  std::vector<RowOrder::Cursor> cursors_;  ///< of the levels' prompts, then
};

}  // namespace hone
