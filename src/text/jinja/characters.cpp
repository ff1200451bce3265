#include "text/jinja/characters.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "text/code_points.h"
#include "text/jinja/character_tables.h"

namespace hone::jinja {

namespace {

bool in(std::span<const CharacterRun> runs, char32_t point) {
  // Runs with step 2 may interleave with others, so the one that holds the point can be a few places further left.
  auto run = std::ranges::upper_bound(runs, point, {}, &CharacterRun::first);
  for (int back = 0; run != runs.begin() && back < 4; ++back) {
    --run;
    if (point <= run->last && (point - run->first) % run->step == 0) return true;
  }
  return false;
}

bool append_mapped(std::string& out, char32_t point, std::span<const CaseRun> runs, std::span<const CaseText> texts) {
  const auto text = std::ranges::lower_bound(texts, point, {}, &CaseText::point);
  if (text != texts.end() && text->point == point) {
    out += text->text;
    return true;
  }
  const auto value = static_cast<std::int32_t>(point);
  auto run = std::ranges::upper_bound(runs, value, {}, &CaseRun::first);
  for (int back = 0; run != runs.begin() && back < 8; ++back) {
    --run;
    if (value > run->last || (value - run->first) % run->step != 0) continue;
    append_utf8(out, static_cast<char32_t>(value + run->delta));
    return true;
  }
  return false;
}

}  // namespace

bool is_space(char32_t point) { return is_white_space(point) || (point >= 0x1C && point <= 0x1F); }
bool is_printable(char32_t point) {
  return point < 0x7F ? point >= 0x20 : !in(unprintable(), point);
}
bool is_letter(char32_t point) { return in(letters(), point); }
bool is_lower(char32_t point) { return in(lowercase(), point); }
bool is_upper(char32_t point) { return in(uppercase(), point); }
bool is_cased(char32_t point) { return is_lower(point) || is_upper(point) || in(titlecase(), point); }
bool is_decimal(char32_t point) { return in(decimals(), point); }
bool is_digit(char32_t point) { return in(digits(), point); }
bool is_numeric(char32_t point) { return in(numerics(), point); }

void append_lower(std::string& out, char32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point >= 'A' && point <= 'Z' ? point + 32 : point);
  } else if (!append_mapped(out, point, lower_runs(), lower_texts())) {
    append_utf8(out, point);
  }
}

void append_upper(std::string& out, char32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point >= 'a' && point <= 'z' ? point - 32 : point);
  } else if (!append_mapped(out, point, upper_runs(), upper_texts())) {
    append_utf8(out, point);
  }
}

void append_title(std::string& out, char32_t point) {
  if (point < 0x80 || !append_mapped(out, point, title_runs(), title_texts())) append_upper(out, point);
}

std::size_t previous_point(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

std::size_t offset_of_point(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  while (at < text.size()) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && index-- == 0) break;
    ++at;
  }
  return at;
}

void append_repr(std::string& out, std::string_view text) {
  const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
  const char quote = single ? '\'' : '"';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text, at);
    if (point == static_cast<char32_t>(quote) || point == '\\') {
      out += '\\';
      out += static_cast<char>(point);
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\r') {
      out += "\\r";
    } else if (point == '\t') {
      out += "\\t";
    } else if (is_printable(point)) {
      out += text.substr(begin, at - begin);
    } else {
      const char* form = point < 0x100 ? "\\x{:02x}" : point < 0x10000 ? "\\u{:04x}" : "\\U{:08x}";
      fmt::format_to(std::back_inserter(out), fmt::runtime(form), static_cast<unsigned>(point));
    }
  }
  out += quote;
}

}  // namespace hone::jinja
