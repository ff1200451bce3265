#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Characters as Python's str methods see them.
namespace hone::jinja {

bool is_space(char32_t point);
bool is_printable(char32_t point);
bool is_letter(char32_t point);
bool is_lower(char32_t point);
bool is_upper(char32_t point);
/// Lower, upper or title case.
bool is_cased(char32_t point);
bool is_decimal(char32_t point);
bool is_digit(char32_t point);
bool is_numeric(char32_t point);

void append_lower(std::string& out, char32_t point);
void append_upper(std::string& out, char32_t point);
void append_title(std::string& out, char32_t point);

/// Offset of the first byte of the code point that ends at `end` > 0.
std::size_t previous_point(std::string_view text, std::size_t end);
/// Byte offset of the code point with this index; the text's size when it has fewer.
std::size_t offset_of_point(std::string_view text, std::size_t index);

/// Python's repr of a str: quotes, escapes for what cannot be printed.
void append_repr(std::string& out, std::string_view text);

}  // namespace hone::jinja
