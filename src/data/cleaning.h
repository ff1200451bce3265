#pragma once

#include <string>
#include <string_view>

#include "data/preparation.h"

namespace hone {

/// `text` is valid UTF-8. Steps in this order: tags and entities, control characters, normal form, white space.
std::string clean_text(std::string_view text, const CleaningConfig& config);

/// Without HTML's tags, comments and the contents of script and style; entities as the characters they stand for. A tag
/// that ends a line or a paragraph becomes a line end. A `<` that opens no tag stays.
std::string without_html(std::string_view text);

/// A character that shows nothing and joins nothing: controls but tab and line ends, zero-width spaces, soft hyphens,
/// byte order marks, marks of direction. The joiners of emoji and of Arabic and Indic scripts are none.
bool is_invisible(char32_t point);

/// Without line ends as \r\n or \r, several spaces, more than one empty line, and white space at either end.
std::string with_plain_white_space(std::string_view text);

}  // namespace hone
