#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hone {

/// What a calculator says: a value or an error, in words for the policy.
struct Calculated {
  std::optional<double> value;
  std::string error;
};

/// Evaluates + - * / and brackets over decimal numbers, with the usual precedence; × and ÷ are accepted, separators of
/// thousands are not. Never throws: what is no expression, too long, too deep or not finite is an error.
Calculated calculate(std::string_view expression);

/// As people write it: whole numbers without a point, others with at most 12 digits.
std::string number_text(double value);

}  // namespace hone
