#include "report/page/text.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "base/format.h"
#include "base/utf8.h"
#include "report/progress.h"

namespace hone::page {

namespace {

/// The code point at the front of valid UTF-8, and its bytes.
struct Decoded {
  char32_t code = 0;
  std::size_t bytes = 1;
};

Decoded decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t code = lead & (0x7FU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {code, bytes};
}

/// Reorders or hides the text around it: the direction controls of Unicode Standard Annex 9, C1 controls, line and
/// paragraph separators.
bool disturbs(char32_t code) {
  return (code >= 0x80 && code < 0xA0) || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_escaped(std::string& out, std::string_view bytes, char32_t code) {
  switch (code) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    case '\'': out += "&#39;"; return;
    case '\n':
    case '\t': out += bytes; return;
    case 0x7F: out += "\u2421"; return;
    default: break;
  }
  if (code < 0x20) {  // the control pictures U+2400 … U+241F
    out += "\xE2\x90";
    out += static_cast<char>(0x80 + code);
  } else if (disturbs(code)) {
    out += fmt::format("[U+{:04X}]", static_cast<std::uint32_t>(code));
  } else {
    out += bytes;
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  const std::string valid = valid_utf8(text);
  std::string out;
  out.reserve(valid.size() + valid.size() / 8);
  for (std::string_view rest = valid; !rest.empty();) {
    const Decoded first = decode(rest);
    append_escaped(out, rest.substr(0, first.bytes), first.code);
    rest.remove_prefix(first.bytes);
  }
  return out;
}

std::string escaped_part(std::string_view text, std::size_t most) {
  const std::string valid = valid_utf8(text);
  const std::size_t length = utf8_length(valid);
  if (length <= most) return escaped(valid);
  return fmt::format("{} <span class=\"dim\">{} more characters</span>", escaped(cut(valid, most)),
                     format_count(static_cast<std::int64_t>(length - most)));
}

std::string escaped_name(std::string_view name) {
  std::string out;
  for (const char c : escaped(name)) {
    out += c;
    if (c == '_' || c == '/') out += "<wbr>";
  }
  return out;
}

std::string figure(double value) {
  if (!std::isfinite(value)) return "–";
  if (std::abs(value) >= 1000 && std::abs(value) < 1e12) return format_count(std::llround(value));
  return format_metric(value);
}

std::string anchor(std::string_view text, std::size_t number) {
  std::string id = "s" + std::to_string(number) + "-";
  for (const char c : text) id += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return id;
}

}  // namespace hone::page
