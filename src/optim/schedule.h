#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/fields.h"

namespace hone {

enum class Decay { constant, linear, cosine, cosine_restarts, polynomial, wsd, inverse_sqrt };
inline constexpr std::array<std::string_view, 7> decay_names = {
    "constant", "linear", "cosine", "cosine_restarts", "polynomial", "wsd", "inverse_sqrt"};

/// How `wsd` falls.
enum class FallShape { linear, cosine, one_minus_sqrt };
inline constexpr std::array<std::string_view, 3> fall_shape_names = {"linear", "cosine", "1-sqrt"};

/// How the learning rate moves over a stage, as a factor of its peak. With w warm-up steps of n in total:
///     step < w        step/w
///     then            floor + (1 - floor)·d(p),  p = (step - w)/(n - w) in [0, 1],
///       constant        d = 1
///       linear          d = 1 - p
///       polynomial      d = (1 - p)^power
///       cosine          d = ½(1 + cos πp)
///       cosine_restarts d = ½(1 + cos π(cycles·p mod 1)), 0 at the end
///       wsd             d = 1 until the last n·fall_share steps (Hu et al. 2024, warm-up, stable, decay), over which p
///                       goes from 0 to 1: d = 1 - p | ½(1 + cos πp) | 1 - √p
///       inverse_sqrt    d = 1/√((step + s - w)/s), s = w, or 10,000 without warm-up (Vaswani et al. 2017); no floor
/// These are the numbers of transformers' get_*_schedule, so with a warm-up the first update has rate 0.
struct Schedule {
  Decay decay = Decay::constant;
  std::int64_t warmup_steps = 0;
  double warmup_share = 0;  ///< of all steps; instead of warmup_steps
  double floor = 0;         ///< share of the peak that decay ends at
  std::int64_t cycles = 1;
  double power = 1;
  double fall_share = 0.1;
  FallShape fall_shape = FallShape::cosine;

  void describe(Fields& f);
  /// `step`: updates done so far. `total` may be 0 only for a constant rate without warmup_share.
  double factor(std::int64_t step, std::int64_t total) const;

 private:
  double left(std::int64_t step, std::int64_t warmup, std::int64_t total) const;
};

}  // namespace hone
