#include "config/yaml_text.h"

#include <algorithm>

#include "base/utf8.h"

namespace hone {

namespace {

/// Offset behind the closing quote of the scalar that opens at `offset`, or npos.
std::size_t quote_end(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (std::size_t i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

bool is_quote(char c) { return c == '"' || c == '\''; }

}  // namespace

std::size_t first_byte_that_is_not_text(std::string_view text) {
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
  });
  const std::size_t offset = std::min(first_invalid_utf8(text), static_cast<std::size_t>(control - text.begin()));
  return offset < text.size() ? offset : std::string_view::npos;
}

bool brackets_nest_deeper(std::string_view text, std::size_t offset, std::size_t levels) {
  std::size_t depth = 0;
  for (std::size_t i = offset; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '{') {
      if (++depth > levels) return true;
    } else if (c == ']' || c == '}') {
      if (depth <= 1) return false;
      --depth;
    } else if (is_quote(c)) {
      const std::size_t end = quote_end(text, i);
      if (end == text.npos) return false;
      i = end - 1;
    }
  }
  return false;
}

bool quote_is_closed(std::string_view text, std::size_t offset) {
  if (offset >= text.size() || !is_quote(text[offset])) return true;
  return quote_end(text, offset) != text.npos;
}

}  // namespace hone
