#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/fields.h"

namespace hone {

enum class Decay { constant, linear, cosine };
inline constexpr std::array<std::string_view, 3> decay_names = {"constant", "linear", "cosine"};

/// How the learning rate moves over a stage, as a factor of its peak. With w warm-up steps of n in total:
///     step < w    step/w
///     then        floor + (1 - floor)·d(p),  p = (step - w)/(n - w) in [0, 1],
///                 d = 1 | 1 - p | ½(1 + cos πp)
/// These are the numbers of transformers' get_*_schedule_with_warmup, so with a warm-up the first update has rate 0.
struct Schedule {
  Decay decay = Decay::constant;
  std::int64_t warmup_steps = 0;
  double warmup_share = 0;  ///< of all steps; instead of warmup_steps
  double floor = 0;         ///< share of the peak that decay ends at

  void describe(Fields& f);
  /// `step`: updates done so far. `total` may be 0 only for a constant rate without warmup_share.
  double factor(std::int64_t step, std::int64_t total) const;
};

}  // namespace hone
