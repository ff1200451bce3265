#pragma once

#include <cstddef>
#include <string_view>

namespace hone {

/// Looks at the characters of a YAML document, for what yaml-cpp's events do not tell.

/// Offset of the first byte that no YAML text has (broken UTF-8, control characters), or npos.
std::size_t first_byte_that_is_not_text(std::string_view text);

/// Whether flow brackets opened from `offset` on are nested deeper than `levels`.
bool brackets_nest_deeper(std::string_view text, std::size_t offset, std::size_t levels);

/// Whether the quoted scalar at `offset` ends; yaml-cpp lets one run into the end of the file. True for other scalars.
bool quote_is_closed(std::string_view text, std::size_t offset);

}  // namespace hone
