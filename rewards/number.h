#pragma once

#include <optional>
#include <string_view>

namespace hone {

/// Numbers as people write them in answers: 42, 1,234.5, .5, 6e-3, -7 or −7, 3/4, \frac{3}{4}, 12%, 12\% (hundredths).
/// A sign counts only where nothing is subtracted: "9-4" ends with 4. What is not finite (1/0, 1e999) is no number.
/// Values are doubles: whole numbers beyond 2^53 are rounded.
/// Error{data} when the text exceeds the limits of matching.
std::optional<double> first_number(std::string_view text);
std::optional<double> last_number(std::string_view text);
/// The same numbers as they are written.
std::optional<std::string_view> first_number_text(std::string_view text);
std::optional<std::string_view> last_number_text(std::string_view text);

/// The contents of the last \boxed{…} or \fbox{…} with balanced braces; nullopt without one.
std::optional<std::string_view> last_boxed(std::string_view text);

}  // namespace hone
