#pragma once

#include <complex>
#include <cstdint>
#include <optional>

#include "rewards/math/expression.h"

namespace hone::math {

/// The value of an expression at one point.
struct Value {
  std::complex<double> number;
  double error = 0;                      ///< bound on the rounding error of `number`, to first order
  std::optional<std::uint64_t> residue;  ///< modulo 2^61 − 1, when it is a formula of +, −, ·, /, whole powers
  std::optional<std::int64_t> integer;   ///< when it is a small whole number, for exponents
};

/// Variables have values of their own at each point: in (0.2, 1.8) at even points, of either sign at odd ones. π and e
/// are variables in residues. An unknown function has a value that depends on its name and arguments.
/// Error{data} for what has no value: lists, relations, division by zero, a factorial of what is no small number.
Value value_of(const Expression& expression, std::uint64_t point);

/// Does a variable or an unknown function occur?
bool has_variables(const Expression& expression);

}  // namespace hone::math
