#include "algo/entropy.h"

#include <algorithm>
#include <cmath>

namespace hone {

void EntropyController::update(double entropy) {
  if (step_ == 0 || !std::isfinite(entropy)) return;
  seen_ = entropy;
  coefficient_ = std::max(0.0, coefficient_ + (entropy <= target_ ? step_ : -step_));
}

}  // namespace hone
