#pragma once

#include <string>
#include <string_view>

namespace hone::math {

struct Equivalence {
  /// Two values of which one is written with a decimal point are equal when |a − b| ≤ tolerance · min(1, 100·|b|), the
  /// smaller being b. All others are equal only when they are the same.
  double tolerance = 1e-6;
};

/// Do both texts give the same answer? Symmetric.
///
///     values      exact modulo a prime where they are formulas of +, −, ·, /, whole powers, π, e and variables; else
///     in
///                 floating point, within its own rounding error; with variables at six points
///     lists       (a, b) and intervals in order and with the same brackets; sets, and 1, 2, 3 without brackets, in any
///                 order; a matrix of one row or column is its vector
///     relations   both sides, or the same up to a factor; x > 2 is (2, ∞); x = 5 is 5, f(x) = 2x is 2x, x ∈ A is A
///     units       what only one side has does not count (18 cm is 18); two must be the same; 20% is 0.2 and is 20, 60°
///                 is π/3 and is 60
///     words       without regard to case; a choice with or without brackets: (A) is A
///
/// What cannot be read as mathematics (sums with limits, sentences) is compared as normalised text.
bool equivalent(std::string_view a, std::string_view b, const Equivalence& options = {});

/// Is it mathematics that `equivalent` can compare by value?
bool readable(std::string_view text);

}  // namespace hone::math
