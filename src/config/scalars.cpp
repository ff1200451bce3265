#include "config/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/error.h"

namespace hone {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The parts of a decimal number.
struct Decimal {
  std::string sign;      ///< "" or "-"
  std::string whole;     ///< digits before the point
  std::string fraction;  ///< digits after it
  std::string exponent;  ///< digits with a sign, or ""
};

/// Digits from the front, without the underscores between them.
std::string take_digits(std::string_view& text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool groups =
        text[i] == '_' && i > 0 && is_digit(text[i - 1]) && i + 1 < text.size() && is_digit(text[i + 1]);
    if (groups) continue;
    if (!is_digit(text[i])) {
      text.remove_prefix(i);
      return digits;
    }
    digits += text[i];
  }
  text = {};
  return digits;
}

/// Takes a decimal number from the front of `text`.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    if (text[0] == '-') number.sign = "-";
    text.remove_prefix(1);
  }
  number.whole = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
  }
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    std::string_view rest = text.substr(1);
    if (rest.starts_with('-')) number.exponent = "-";
    if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
    const std::string digits = take_digits(rest);
    if (digits.empty()) return std::nullopt;
    number.exponent += digits;
    text = rest;
  }
  return number;
}

std::optional<double> to_double(const Decimal& number) {
  const std::string text =
      fmt::format("{}{}.{}e{}", number.sign, number.whole.empty() ? "0" : number.whole,
                  number.fraction.empty() ? "0" : number.fraction, number.exponent.empty() ? "0" : number.exponent);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Moves the point by the exponent; what then stands behind it must be zeros.
std::optional<std::int64_t> to_integer(const Decimal& number) {
  int shift = 0;
  if (!number.exponent.empty()) {
    const char* last = number.exponent.data() + number.exponent.size();
    const auto [end, error] = std::from_chars(number.exponent.data(), last, shift);
    constexpr int largest_shift = 400;
    if (error != std::errc() || end != last || shift > largest_shift || shift < -largest_shift) return std::nullopt;
  }
  std::string digits = number.whole + number.fraction;
  const auto point = static_cast<std::int64_t>(number.whole.size()) + shift;
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
  } else if (point > static_cast<std::int64_t>(digits.size())) {
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  }
  const std::string behind = digits.substr(static_cast<std::size_t>(std::max<std::int64_t>(point, 0)));
  if (behind.find_first_not_of('0') != behind.npos) return std::nullopt;
  const std::string text = number.sign + "0" + digits.substr(0, digits.size() - behind.size());
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 10> byte_units = {{{"TiB", 1099511627776.0},
                                              {"GiB", 1073741824.0},
                                              {"MiB", 1048576.0},
                                              {"KiB", 1024.0},
                                              {"TB", 1e12},
                                              {"GB", 1e9},
                                              {"MB", 1e6},
                                              {"kB", 1e3},
                                              {"KB", 1e3},
                                              {"B", 1.0}}};
constexpr std::array<Unit, 5> time_units = {{{"d", 86400.0}, {"h", 3600.0}, {"m", 60.0}, {"s", 1.0}, {"ms", 1e-3}}};

std::optional<double> factor_of(std::string_view unit, std::span<const Unit> units) {
  if (unit.empty()) return 1.0;
  for (const auto& one : units) {
    if (one.name == unit) return one.factor;
  }
  return std::nullopt;
}

template <class Count>
std::string range_text(const Range& range, const Count& text) {
  const bool has_low = std::isfinite(range.low);
  const bool has_high = std::isfinite(range.high);
  if (has_low && has_high) {
    return fmt::format("in {}{}, {}{}", range.open_low ? '(' : '[', text(range.low), text(range.high),
                       range.open_high ? ')' : ']');
  }
  if (has_low) return fmt::format("{} {}", range.open_low ? ">" : "≥", text(range.low));
  if (has_high) return fmt::format("{} {}", range.open_high ? "<" : "≤", text(range.high));
  return "";
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  const auto number = take_decimal(text);
  if (!number || !text.empty()) return std::nullopt;
  return to_integer(*number);
}

std::optional<double> parse_number(std::string_view text) {
  const auto number = take_decimal(text);
  if (!number || !text.empty()) return std::nullopt;
  return to_double(*number);
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto number = take_decimal(text);
  const auto factor = factor_of(text, byte_units);
  if (!number || !factor) return std::nullopt;
  const auto whole = to_integer(*number);
  if (whole) {
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(*whole, static_cast<std::int64_t>(*factor), &bytes)) return std::nullopt;
    return Bytes{bytes};
  }
  const double bytes = to_double(*number).value_or(0.5) * *factor;
  constexpr double exact_integers = 9007199254740992.0;  // 2^53
  if (bytes != std::floor(bytes) || std::abs(bytes) > exact_integers) return std::nullopt;
  return Bytes{static_cast<std::int64_t>(bytes)};
}

std::optional<Seconds> parse_seconds(std::string_view text) {
  const auto number = take_decimal(text);
  const auto factor = factor_of(text, time_units);
  if (!number || !factor) return std::nullopt;
  const auto count = to_double(*number);
  if (!count || !std::isfinite(*count * *factor)) return std::nullopt;
  return Seconds{*count * *factor};
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::string text_of(bool value) { return value ? "true" : "false"; }

std::string text_of(std::int64_t value) { return fmt::format("{}", value); }

std::string text_of(double value) {
  HONE_ASSERT(std::isfinite(value));
  return fmt::format("{}", value);
}

std::string text_of(Bytes value) {
  for (const auto& unit : std::span(byte_units).first(4)) {
    const auto factor = static_cast<std::int64_t>(unit.factor);
    if (value.count != 0 && value.count % factor == 0) return fmt::format("{}{}", value.count / factor, unit.name);
  }
  return fmt::format("{}", value.count);
}

std::string text_of(Seconds value) {
  constexpr double largest_exact = 1e12;
  for (const auto& unit : std::span(time_units).first(3)) {
    const bool fits = value.count != 0 && std::abs(value.count) < largest_exact;
    if (fits && std::fmod(value.count, unit.factor) == 0)
      return fmt::format("{}{}", value.count / unit.factor, unit.name);
  }
  return fmt::format("{}s", text_of(value.count));
}

std::string byte_range_text(const Range& range) {
  return range_text(range, [](double count) {
    constexpr double largest_int64 = 9.2e18;
    return std::abs(count) < largest_int64 ? text_of(Bytes{static_cast<std::int64_t>(count)}) : text_of(count);
  });
}

std::string second_range_text(const Range& range) {
  return range_text(range, [](double count) { return count == 0 ? "0" : text_of(Seconds{count}); });
}

}  // namespace hone
