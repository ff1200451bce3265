#include <algorithm>
#include <charconv>
#include <cmath>

#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

std::string_view without_spaces(std::string_view text) {
  while (!text.empty()) {
    std::size_t at = 0;
    if (!is_space(next_code_point(text, at))) break;
    text.remove_prefix(at);
  }
  while (!text.empty()) {
    const std::size_t last = previous_point(text, text.size());
    std::size_t at = last;
    if (!is_space(next_code_point(text, at))) break;
    text = text.substr(0, last);
  }
  return text;
}

/// Digits with single underscores between them, the underscores removed; empty when it is not that.
std::string plain_digits(std::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i > 0 && i + 1 < text.size() && std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0 &&
                         std::isalnum(static_cast<unsigned char>(text[i + 1])) != 0;
    if (text[i] == '_' && between) continue;
    digits += text[i];
  }
  return digits;
}

/// Python's int() of a float.
std::int64_t whole_part(Runtime& runtime, double value) {
  if (std::isnan(value)) runtime.fail("int: NaN has no whole part");
  if (!(std::abs(value) < 9.2e18)) runtime.fail("int: {} does not fit 64 bits", value);
  return static_cast<std::int64_t>(value);
}

/// Python's round(): to the nearest, ties to the even digit, decided by the exact decimal value.
double rounded(double value, std::int64_t digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -300) return std::copysign(0.0, value);
  if (digits >= 0) {
    const std::string text = fmt::format("{:.{}f}", value, static_cast<int>(digits));
    double result = value;
    std::from_chars(text.data(), text.data() + text.size(), result);
    return result;
  }
  const double scale = std::pow(10.0, static_cast<double>(-digits));
  return std::nearbyint(value / scale) * scale;
}

}  // namespace

bool parse_integer(std::string_view text, int base, std::int64_t& value) {
  std::string digits = plain_digits(without_spaces(text));
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.erase(0, 1);
  if (digits.size() > 2 && digits[0] == '0') {
    const char prefix = static_cast<char>(digits[1] | 0x20);
    const int named = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 0;
    if (named != 0 && (base == named || base == 0)) {
      digits.erase(0, 2);
      base = named;
    }
  }
  if (base == 0) base = 10;
  if (digits.empty() || digits[0] == '-') return false;
  if (negative) digits.insert(digits.begin(), '-');
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

bool parse_real(std::string_view text, double& value) {
  std::string digits = plain_digits(without_spaces(text));
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.empty() || digits[0] == '+' || digits.starts_with("-+")) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end != digits.data() + digits.size() || digits.find('(') != digits.npos) return false;
  if (error == std::errc::result_out_of_range) value = std::strtod(digits.c_str(), nullptr);
  return error == std::errc() || error == std::errc::result_out_of_range;
}

namespace filter {

Value abs(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "abs", arguments).end();
  if (value.is(Kind::real)) return Value::of(std::abs(value.real), value.data);
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (!value.is_int()) runtime.fail("abs: the value is a {}, not a number", type_name(value));
  return value.as_int() < 0 ? negative(runtime, value) : positive(runtime, value);
}

Value attr(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "attr", arguments);
  const Value name = parameters.required("name");
  parameters.end();
  if (!name.is_string()) runtime.fail("attr: the name is a {}, not a str", type_name(name));
  Value result;
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (find_attribute(runtime, value, name.string, result)) return get_attribute(runtime, value, name.string);
  return undefined_attribute(runtime, value, name.string);
}

Value fallback(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str empty;
  Parameters parameters(runtime, "default", arguments);
  const Value other = parameters.optional("default_value", Value::of(&empty));
  const bool also_false = parameters.boolean("boolean", false);
  parameters.end();
  return value.is(Kind::undefined) || (also_false && !truth(value)) ? other : value;
}

Value integer(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "int", arguments);
  const Value other = parameters.optional("default", Value::of(std::int64_t{0}));
  const std::int64_t base = parameters.integer("base", 10);
  parameters.end();
  if (value.is_int()) return Value::of(value.as_int(), value.data);
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (value.is(Kind::real)) {
    if (!std::isfinite(value.real)) {
      if (std::isnan(value.real)) return other;
      runtime.fail("int: an infinite value has no whole part");
    }
    return Value::of(whole_part(runtime, value.real), value.data);
  }
  if (!value.is_string()) return other;
  if (base != 0 && (base < 2 || base > 36)) runtime.fail("int: the base {} is not 0 or 2 to 36", base);
  runtime.spend_bytes(value.string->size);
  const bool data = value.string->has_data();
  std::int64_t whole = 0;
  if (parse_integer(value.text(), static_cast<int>(base), whole)) return Value::of(whole, data);
  double real = 0;
  if (!parse_real(value.text(), real) || !std::isfinite(real)) return other;
  return Value::of(whole_part(runtime, real), data);
}

Value real(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "float", arguments);
  const Value other = parameters.optional("default", Value::of(0.0));
  parameters.end();
  if (value.is_number()) return Value::of(value.as_real(), value.data);
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  double number = 0;
  if (value.is_string()) runtime.spend_bytes(value.string->size);
  if (!value.is_string() || !parse_real(value.text(), number)) return other;
  return Value::of(number, value.string->has_data());
}

Value length(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "length", arguments).end();
  if (value.is_string()) runtime.spend_bytes(value.string->size);
  const std::int64_t length = length_of(value);
  if (length < 0) runtime.fail("length: a {} has none (a generator has after |list)", type_name(value));
  return Value::of(length, value.is_string() ? value.string->has_data() : value.data);
}

Value round(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str common{.data = "common", .size = 6};
  Parameters parameters(runtime, "round", arguments);
  const std::int64_t digits = parameters.integer("precision", 0);
  const Value method = parameters.optional("method", Value::of(&common));
  parameters.end();
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (!value.is_number()) runtime.fail("round: the value is a {}, not a number", type_name(value));
  const std::string_view how = method.is_string() ? method.text() : std::string_view();
  if (how == "common") {
    if (value.is_int() && digits >= 0) return Value::of(value.as_int(), value.data);
    if (value.is_int()) return Value::of(whole_part(runtime, rounded(value.as_real(), digits)), value.data);
    return Value::of(rounded(value.real, digits), value.data);
  }
  if (how != "ceil" && how != "floor") runtime.fail("round: 'method' must be common, ceil or floor");
  const double scale = std::pow(10.0, static_cast<double>(digits));
  const double scaled = value.as_real() * scale;
  const double whole = how == "ceil" ? std::ceil(scaled) : std::floor(scaled);
  if (!std::isfinite(whole)) runtime.fail("round: the value is too large");
  return Value::of(whole / scale, value.data);
}

}  // namespace filter

}  // namespace hone::jinja
