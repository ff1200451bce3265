#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/methods.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

template <class Test>
bool each(std::string_view text, bool if_empty, const Test& test) {
  for (std::size_t at = 0; at < text.size();) {
    if (!test(next_code_point(text, at))) return false;
  }
  return if_empty || !text.empty();
}

bool is_alphanumeric(char32_t point) {
  return is_letter(point) || is_decimal(point) || is_digit(point) || is_numeric(point);
}

/// All cased characters have this case and there is one.
bool has_case(std::string_view text, bool upper) {
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    if (!is_cased(point)) continue;
    if (upper ? !is_upper(point) : !is_lower(point)) return false;
    any = true;
  }
  return any;
}

bool is_title(std::string_view text) {
  bool any = false;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_code_point(text, at);
    const bool cased = is_cased(point);
    if (cased && is_lower(point) != in_word) return false;
    in_word = cased;
    any = any || cased;
  }
  return any;
}

bool is_identifier(std::string_view text) {
  std::size_t at = 0;
  if (text.empty()) return false;
  const char32_t first = next_code_point(text, at);
  return (first == '_' || is_letter(first)) &&
         each(text.substr(at), true, [](char32_t p) { return p == '_' || is_letter(p) || is_decimal(p); });
}

using TextTest = bool (*)(std::string_view);

template <TextTest test>
Value method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters(runtime, "a method of str", arguments).end();
  runtime.spend_bytes(self.string->size);
  return Value::of(test(self.text()));
}

bool all_letters(std::string_view text) { return each(text, false, is_letter); }
bool all_decimals(std::string_view text) { return each(text, false, is_decimal); }
bool all_digits(std::string_view text) { return each(text, false, is_digit); }
bool all_numeric(std::string_view text) { return each(text, false, is_numeric); }
bool all_alphanumeric(std::string_view text) { return each(text, false, is_alphanumeric); }
bool all_space(std::string_view text) { return each(text, false, is_space); }
bool all_printable(std::string_view text) { return each(text, true, is_printable); }
bool all_ascii(std::string_view text) {
  return each(text, true, [](char32_t point) { return point < 0x80; });
}
bool all_lower(std::string_view text) { return has_case(text, false); }
bool all_upper(std::string_view text) { return has_case(text, true); }

constexpr MethodEntry tests[] = {
    {"isalnum", method<all_alphanumeric>}, {"isalpha", method<all_letters>},     {"isascii", method<all_ascii>},
    {"isdecimal", method<all_decimals>},   {"isdigit", method<all_digits>},      {"isidentifier", method<is_identifier>},
    {"islower", method<all_lower>},        {"isnumeric", method<all_numeric>},   {"isprintable", method<all_printable>},
    {"isspace", method<all_space>},        {"istitle", method<is_title>},        {"isupper", method<all_upper>},
};

}  // namespace

std::span<const MethodEntry> str_tests() { return tests; }

}  // namespace hone::jinja
