#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hone {

/// Offset of the first byte that is not part of valid UTF-8 (overlong forms, surrogates and values beyond U+10FFFF are
/// invalid), or npos.
std::size_t first_invalid_utf8(std::string_view text);

/// Each maximal broken part replaced by U+FFFD, as the Unicode standard recommends (section 3.9).
std::string valid_utf8(std::string_view text);

/// Number of code points of valid UTF-8.
std::size_t utf8_length(std::string_view text);

}  // namespace hone
