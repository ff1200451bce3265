#pragma once

#include <span>
#include <string_view>

#include "rewards/math/evaluate.h"

namespace hone::math {

/// The value of a known function: those of tokens.h, abs, floor, ceil, factorial, degree (x·π/180), binom.
/// \log without a base is the natural one, \log with one has it as its second argument. Error{data} outside the domain.
Value function_value(std::string_view name, std::span<const Value> arguments);

}  // namespace hone::math
