#pragma once

#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace hone::jinja {

/// How one value is printed by % and str.format().
struct FormatSpec {
  std::string fill = " ";
  char align = '\0';  ///< < > ^ =
  char sign = '-';    ///< - + or a space
  bool alternate = false;
  bool zero = false;
  char grouping = '\0';
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = '\0';
};

/// The digits of a number without width. Fails for types that do not fit it.
std::string format_number(Runtime& runtime, Value value, const FormatSpec& spec);
/// Fills up to the width; zeros go between sign and digits.
std::string padded(Runtime& runtime, std::string text, const FormatSpec& spec, bool is_number);

}  // namespace hone::jinja
