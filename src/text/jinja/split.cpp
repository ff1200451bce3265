#include <algorithm>

#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"

namespace hone::jinja {

namespace {

std::size_t behind_spaces(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    std::size_t next = at;
    if (!is_space(next_code_point(text, next))) break;
    at = next;
  }
  return at;
}

std::size_t before_spaces(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t last = previous_point(text, end);
    std::size_t next = last;
    if (!is_space(next_code_point(text, next))) break;
    end = last;
  }
  return end;
}

std::size_t behind_word(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    std::size_t next = at;
    if (is_space(next_code_point(text, next))) break;
    at = next;
  }
  return at;
}

std::size_t before_word(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t last = previous_point(text, end);
    std::size_t next = last;
    if (is_space(next_code_point(text, next))) break;
    end = last;
  }
  return end;
}

using Cut = std::pair<std::size_t, std::size_t>;

std::vector<Cut> words(std::string_view text, std::int64_t most) {
  std::vector<Cut> cuts;
  for (std::size_t at = behind_spaces(text, 0); at < text.size(); --most) {
    const std::size_t end = most == 0 ? text.size() : behind_word(text, at);
    cuts.emplace_back(at, end);
    if (most == 0) break;
    at = behind_spaces(text, end);
  }
  return cuts;
}

std::vector<Cut> words_from_right(std::string_view text, std::int64_t most) {
  std::vector<Cut> cuts;
  for (std::size_t end = before_spaces(text, text.size()); end > 0; --most) {
    const std::size_t begin = most == 0 ? 0 : before_word(text, end);
    cuts.emplace_back(begin, end);
    if (most == 0) break;
    end = before_spaces(text, begin);
  }
  std::ranges::reverse(cuts);
  return cuts;
}

std::vector<Cut> pieces(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<Cut> cuts;
  std::size_t at = 0;
  for (; most != 0; --most) {
    const std::size_t found = find_text(text, separator, at);
    if (found == text.npos) break;
    cuts.emplace_back(at, found);
    at = found + separator.size();
  }
  cuts.emplace_back(at, text.size());
  return cuts;
}

std::vector<Cut> pieces_from_right(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<Cut> cuts;
  std::size_t end = text.size();
  for (; most != 0 && end >= separator.size(); --most) {
    const std::size_t found = text.rfind(separator, end - separator.size());
    if (found == text.npos) break;
    cuts.emplace_back(found + separator.size(), end);
    end = found;
  }
  cuts.emplace_back(0, end);
  std::ranges::reverse(cuts);
  return cuts;
}

std::vector<Value> parts(Runtime& runtime, const Str& text, const std::vector<Cut>& cuts) {
  runtime.spend(static_cast<std::int64_t>(cuts.size() * (1 + text.mark_count / 16)));
  std::vector<Value> values;
  values.reserve(cuts.size());
  for (const auto& [begin, end] : cuts) values.push_back(Value::of(part(runtime, text, begin, end)));
  return values;
}

bool is_line_end(char32_t point) {
  return (point >= 0x0A && point <= 0x0D) || (point >= 0x1C && point <= 0x1E) || point == 0x85 || point == 0x2028 ||
         point == 0x2029;
}

}  // namespace

std::vector<Value> split(Runtime& runtime, const Str& text, Value separator, std::int64_t most, bool from_right) {
  runtime.spend_bytes(text.size * 2);
  if (separator.is(Kind::none)) {
    return parts(runtime, text, from_right ? words_from_right(text.view(), most) : words(text.view(), most));
  }
  if (!separator.is_string()) runtime.fail("split: the separator is a {}, not a str", type_name(separator));
  const std::string_view by = separator.text();
  if (by.empty()) runtime.fail("split: the separator is empty");
  if (from_right) runtime.spend_bytes(text.size / 64 * (by.size() / 64));
  return parts(runtime, text, from_right ? pieces_from_right(text.view(), by, most) : pieces(text.view(), by, most));
}

std::vector<Value> split_lines(Runtime& runtime, const Str& text, bool keep_ends) {
  runtime.spend_bytes(text.size * 2);
  const std::string_view view = text.view();
  std::vector<Cut> cuts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t here = at;
    const char32_t point = next_code_point(view, at);
    if (!is_line_end(point)) continue;
    if (point == '\r' && at < view.size() && view[at] == '\n') ++at;
    cuts.emplace_back(begin, keep_ends ? at : here);
    begin = at;
  }
  if (begin < view.size()) cuts.emplace_back(begin, view.size());
  return parts(runtime, text, cuts);
}

}  // namespace hone::jinja
