#include "text/jinja/text_ops.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

bool is_stripped(char32_t point, Value characters) {
  if (characters.is(Kind::none)) return is_space(point);
  const std::string_view set = characters.text();
  for (std::size_t at = 0; at < set.size();) {
    if (next_code_point(set, at) == point) return true;
  }
  return false;
}

/// Python's final sigma: behind a letter and not before one.
bool is_final_sigma(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin == 0) return false;
  std::size_t before = previous_point(text, begin);
  if (!is_cased(next_code_point(text, before))) return false;
  return end >= text.size() || !is_cased(next_code_point(text, end));
}

/// What replacing an empty text does: `by` before each character and at the end.
const Str* interspersed(Runtime& runtime, const Str& text, const Str& by, std::int64_t count) {
  const std::string_view view = text.view();
  TextBuilder out(runtime);
  std::size_t at = 0;
  for (; count != 0; --count) {
    runtime.spend(1);
    out.append(by);
    if (at == view.size()) break;
    const std::size_t begin = at;
    next_code_point(view, at);
    out.append_part(text, begin, at);
  }
  out.append_part(text, at, view.size());
  if (text.has_data()) out.add_flags(0, from_data);
  return out.finish(text.safe);
}

}  // namespace

std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from) {
  if (from > text.size()) return text.npos;
  if (wanted.empty()) return from;
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found == nullptr ? text.npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t find_last_text(Runtime& runtime, std::string_view text, std::string_view wanted) {
  runtime.spend_bytes(text.size());
  runtime.spend_bytes(text.size() / 64 * (wanted.size() / 64));
  return text.rfind(wanted);
}

const Str* strip(Runtime& runtime, const Str& text, Value characters, bool left, bool right) {
  if (!characters.is(Kind::none) && !characters.is_string()) {
    runtime.fail("strip: the characters are a {}, not a str", type_name(characters));
  }
  const std::string_view view = text.view();
  const std::size_t cost = characters.is_string() ? characters.string->size : 1;
  std::size_t begin = 0;
  std::size_t end = view.size();
  while (left && begin < end) {
    runtime.spend_bytes(cost);
    std::size_t next = begin;
    if (!is_stripped(next_code_point(view, next), characters)) break;
    begin = next;
  }
  while (right && end > begin) {
    runtime.spend_bytes(cost);
    const std::size_t last = previous_point(view, end);
    std::size_t next = last;
    if (!is_stripped(next_code_point(view, next), characters)) break;
    end = last;
  }
  return part(runtime, text, begin, end);
}

const Str* replaced(Runtime& runtime, const Str& text, const Str& old, const Str& by, std::int64_t count) {
  const std::string_view view = text.view();
  runtime.spend_bytes(view.size());
  if (old.size == 0) return interspersed(runtime, text, by, count);
  std::size_t found = find_text(view, old.view());
  if (found == view.npos || count == 0) return &text;
  TextBuilder out(runtime);
  FlagCursor flags(text);
  std::size_t at = 0;
  for (; found != view.npos && count != 0; --count) {
    runtime.spend(1);
    out.append_part(text, at, found);
    at = found + old.size;
    std::uint8_t touched = 0;
    for (std::size_t i = found; i < at; ++i) touched |= flags.at(i);
    const std::size_t begin = out.size();
    out.append(by);
    if ((touched & from_data) != 0) out.add_flags(begin, from_data);
    found = find_text(view, old.view(), at);
  }
  out.append_part(text, at, view.size());
  return out.finish(text.safe);
}

const Str* with_case(Runtime& runtime, const Str& text, Case how) {
  const std::string_view view = text.view();
  runtime.spend_bytes(view.size() * 4);
  TextBuilder out(runtime);
  FlagCursor flags(text);
  std::string one;
  bool in_word = false;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(view, at);
    one.clear();
    const bool upward = how == Case::upper || (how == Case::swap && is_lower(point));
    const bool titled = (how == Case::title && !in_word) || (how == Case::capitalize && begin == 0);
    if (titled) append_title(one, point);
    else if (upward) append_upper(one, point);
    else if (how == Case::swap && !is_upper(point)) append_utf8(one, point);
    else if (point == 0x3A3 && is_final_sigma(view, begin, at)) append_utf8(one, 0x3C2);
    else append_lower(one, point);
    if (how == Case::title) in_word = is_cased(point);
    out.append(one, flags.at(begin));
  }
  return out.finish(text.safe);
}

const Str* join(Runtime& runtime, const Str& separator, std::span<const Value> items, bool convert) {
  TextBuilder out(runtime);
  bool first = true;
  for (const Value item : items) {
    if (!first) out.append(separator);
    first = false;
    runtime.spend(1);
    if (!convert && !item.is_string()) runtime.fail("join: an item is a {}, not a str", type_name(item));
    append_str(runtime, out, item);
  }
  return out.finish();
}

const Str* justified(Runtime& runtime, const Str& text, std::int64_t width, const Str& fill, Justify where) {
  runtime.spend_bytes(text.size);
  const auto length = static_cast<std::int64_t>(utf8_length(text.view()));
  const std::int64_t missing = std::max<std::int64_t>(0, width - length);
  runtime.check_string_size(static_cast<std::size_t>(missing));
  runtime.spend(missing / 8);
  std::int64_t left = where == Justify::right ? missing : 0;
  if (where == Justify::center) left = missing / 2 + (missing & width & 1);  // as CPython rounds
  TextBuilder out(runtime);
  for (std::int64_t i = 0; i < left; ++i) out.append(fill);
  out.append(text);
  for (std::int64_t i = left; i < missing; ++i) out.append(fill);
  return out.finish(text.safe);
}

}  // namespace hone::jinja
