#include "text/jinja/number_format.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/code_points.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

constexpr std::int64_t most_digits = 400;

void group_digits(std::string& digits, char separator) {
  std::size_t end = digits.find_first_not_of("0123456789");
  if (end == digits.npos) end = digits.size();
  for (std::size_t i = 3; i < end; i += 3) digits.insert(end - i, 1, separator);
}

std::string integer_digits(Runtime& runtime, Value value, const FormatSpec& spec) {
  if (value.is(Kind::real)) runtime.fail("format: the code '{}' needs an int, not a float", spec.type);
  const std::int64_t whole = value.as_int();
  const std::uint64_t magnitude = whole < 0 ? 0 - static_cast<std::uint64_t>(whole) : static_cast<std::uint64_t>(whole);
  switch (spec.type) {
    case 'x': return fmt::format("{}{:x}", spec.alternate ? "0x" : "", magnitude);
    case 'X': return fmt::format("{}{:X}", spec.alternate ? "0X" : "", magnitude);
    case 'o': return fmt::format("{}{:o}", spec.alternate ? "0o" : "", magnitude);
    case 'b': return fmt::format("{}{:b}", spec.alternate ? "0b" : "", magnitude);
    default: return fmt::format("{}", magnitude);
  }
}

/// A finite value ≥ 0.
std::string real_digits(double value, const FormatSpec& spec) {
  const int precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
  switch (spec.type) {
    case 'e': return fmt::format("{:.{}e}", value, precision);
    case 'E': return fmt::format("{:.{}E}", value, precision);
    case 'g':
    case 'n': return fmt::format("{:.{}g}", value, std::max(1, precision));
    case 'G': return fmt::format("{:.{}G}", value, std::max(1, precision));
    case '%': return fmt::format("{:.{}f}%", value * 100, precision);
    case '\0': {
      if (spec.precision < 0) return repr_real(value);
      std::string text = fmt::format("{:.{}g}", value, std::max(1, precision));
      if (text.find_first_of(".e") == text.npos) text += ".0";
      return text;
    }
    default: return fmt::format("{:.{}f}", value, precision);
  }
}

}  // namespace

std::string format_number(Runtime& runtime, Value value, const FormatSpec& spec) {
  if (spec.precision > most_digits) runtime.fail("format: a precision of {} is too large", spec.precision);
  constexpr std::string_view of_integers = "dxXobn";
  constexpr std::string_view of_reals = "eEfFgG%";
  const bool plain_integer = value.is_int() && (spec.type == '\0' || of_integers.find(spec.type) != of_integers.npos);
  if (!plain_integer && spec.type != '\0' && spec.type != 'n' && of_reals.find(spec.type) == of_reals.npos &&
      of_integers.find(spec.type) == of_integers.npos) {
    runtime.fail("format: the code '{}' is unknown or not for a {}", spec.type, type_name(value));
  }
  bool negative = false;
  std::string digits;
  if (plain_integer || (of_integers.find(spec.type) != of_integers.npos && spec.type != 'n' && spec.type != '\0')) {
    if (spec.precision >= 0) runtime.fail("format: an int has no precision");
    digits = integer_digits(runtime, value, spec);
    negative = value.as_int() < 0;
  } else {
    const double real = value.as_real();
    negative = std::signbit(real) && !std::isnan(real);
    if (std::isfinite(real)) digits = real_digits(std::abs(real), spec);
    else digits = std::isnan(real) ? "nan" : "inf";
  }
  if (spec.grouping != '\0') group_digits(digits, spec.grouping);
  if (negative) return "-" + digits;
  return spec.sign == '-' ? digits : std::string(1, spec.sign) + digits;
}

std::string padded(Runtime& runtime, std::string text, const FormatSpec& spec, bool is_number) {
  const auto length = static_cast<std::int64_t>(utf8_length(text));
  if (spec.width <= length) return text;
  runtime.check_string_size(static_cast<std::size_t>(spec.width));
  runtime.spend(spec.width / 8);
  std::int64_t missing = spec.width - length;
  char align = spec.align;
  if (align == '\0') align = spec.zero && is_number ? '=' : is_number ? '>' : '<';
  const std::string fill = spec.zero && spec.align == '\0' ? "0" : spec.fill;
  const auto fills = [&](std::int64_t count) {
    std::string all;
    for (std::int64_t i = 0; i < count; ++i) all += fill;
    return all;
  };
  if (align == '<') return text + fills(missing);
  if (align == '^') return fills(missing / 2) + text + fills(missing - missing / 2);
  if (align == '>' || !is_number) return fills(missing) + text;
  std::size_t prefix = text.find_first_of("+- ") == 0 ? 1 : 0;
  if (spec.alternate && spec.type != '\0' && std::string_view("xXob").find(spec.type) != std::string_view::npos) {
    prefix += 2;
  }
  return text.substr(0, prefix) + fills(missing) + text.substr(prefix);
}

}  // namespace hone::jinja
