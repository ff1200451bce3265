#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone {

void Schedule::describe(Fields& f) {
  f.choice("schedule", decay, decay_names, "How the learning rate falls from its peak after the warm-up.");
  f.field("warmup_steps", warmup_steps, "Optimizer steps over which the rate rises from 0.", at_least(0));
  f.field("warmup_share", warmup_share, "The same as a share of all steps.", between(0, 1));
  f.check(warmup_steps == 0 || warmup_share == 0, "warmup_share", "set warmup_steps or warmup_share, not both");
  f.field("floor", floor, "Share of the peak rate that linear and cosine end at.", between(0, 1));
}

double Schedule::factor(std::int64_t step, std::int64_t total) const {
  const auto warmup =
      warmup_share > 0 ? static_cast<std::int64_t>(std::ceil(warmup_share * static_cast<double>(total))) : warmup_steps;
  if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
  if (decay == Decay::constant) return 1.0;
  const auto span = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  const double progress = std::clamp(static_cast<double>(step - warmup) / span, 0.0, 1.0);
  const double left = decay == Decay::linear ? 1.0 - progress : 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return floor + (1.0 - floor) * left;
}

}  // namespace hone
