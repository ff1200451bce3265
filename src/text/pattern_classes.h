#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hone {

/// The inside of a PCRE2 character class that holds what \p{property} does in Oniguruma 6.9.10 (Unicode 16): a general
/// category or its first letter, or "Word" for \w and "Space" for \s. Nothing for other properties. `negated`: what it
/// does not hold.
std::optional<std::string> pattern_class(std::string_view property, bool negated);

}  // namespace hone
