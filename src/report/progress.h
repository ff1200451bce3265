#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "report/metrics.h"

namespace hone {

/// How far a stage has come.
struct Progress {
  std::string stage;
  std::int64_t first_step = 0;  ///< where this process took the stage up: 0, or the step it resumed from
  std::int64_t step = 0;        ///< steps done
  std::int64_t total = 0;       ///< steps there will be at most; 0 when nobody knows
  double seconds = 0;           ///< spent since first_step
  bool finished = false;        ///< no more steps will come: the line tells the time taken, not the time left
  MetricValues metrics;         ///< of the last step
};

/// Seconds to go at the rate so far; negative when nothing can be said yet.
double seconds_left(const Progress& progress);

/// The few metrics for a line, by importance: "reward 0.914  kl 0.0021".
std::string main_metrics(const MetricValues& values);

/// A number of up to four significant digits: 0.9141, 12.3, 3e-05.
std::string format_metric(double value);

/// One line of at most `width` columns; what does not fit is cut off at its end:
///
///     ppo  ██████░░░░░░░░░  23/60  0.41 steps/s  1 min 30 s left  reward 0.914  kl 0.0021
///
/// With bar_columns 0 the bar is left out.
std::string progress_line(const Progress& progress, std::size_t bar_columns, std::size_t width);

/// The first `columns` code points of valid UTF-8; "…" takes the place of the last when some are cut off.
std::string cut(std::string_view text, std::size_t columns);

}  // namespace hone
