#include "rewards/math/functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "base/error.h"
#include "rewards/math/field.h"

namespace hone::math {

namespace {

using Complex = std::complex<double>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr std::int64_t largest_factorial = 5000;
constexpr std::int64_t largest_choice = 1000;

struct Elementary {
  std::string_view name;
  Complex (*apply)(Complex);
};

constexpr Elementary elementary[] = {
    {"sin", [](Complex z) { return std::sin(z); }},
    {"cos", [](Complex z) { return std::cos(z); }},
    {"tan", [](Complex z) { return std::tan(z); }},
    {"cot", [](Complex z) { return 1.0 / std::tan(z); }},
    {"sec", [](Complex z) { return 1.0 / std::cos(z); }},
    {"csc", [](Complex z) { return 1.0 / std::sin(z); }},
    {"sinh", [](Complex z) { return std::sinh(z); }},
    {"cosh", [](Complex z) { return std::cosh(z); }},
    {"tanh", [](Complex z) { return std::tanh(z); }},
    {"coth", [](Complex z) { return 1.0 / std::tanh(z); }},
    {"sech", [](Complex z) { return 1.0 / std::cosh(z); }},
    {"csch", [](Complex z) { return 1.0 / std::sinh(z); }},
    {"asin", [](Complex z) { return std::asin(z); }},
    {"acos", [](Complex z) { return std::acos(z); }},
    {"atan", [](Complex z) { return std::atan(z); }},
    {"acot", [](Complex z) { return std::numbers::pi / 2 - std::atan(z); }},
    {"asec", [](Complex z) { return std::acos(1.0 / z); }},
    {"acsc", [](Complex z) { return std::asin(1.0 / z); }},
    {"asinh", [](Complex z) { return std::asinh(z); }},
    {"acosh", [](Complex z) { return std::acosh(z); }},
    {"atanh", [](Complex z) { return std::atanh(z); }},
    {"ln", [](Complex z) { return std::log(z); }},
    {"log", [](Complex z) { return std::log(z); }},
    {"lg", [](Complex z) { return std::log10(z); }},
    {"exp", [](Complex z) { return std::exp(z); }},
};

/// Values off the real axis only where the function leaves it; the error from the slope between two near points.
Value applied(Complex (*function)(Complex), const Value& argument) {
  Value value;
  value.number = function(argument.number);
  if (argument.number.imag() == 0 && std::abs(value.number.imag()) <= epsilon) value.number = value.number.real();
  const double step = std::max(std::abs(argument.number), 1.0) * 1e-7;
  const double slope = std::abs(function(argument.number + step) - value.number) / step;
  value.error = 4 * epsilon * std::abs(value.number) + 2 * slope * argument.error;
  return value;
}

double real_of(const Value& value) {
  if (value.number.imag() != 0) fail(ErrorKind::data, "a function of real numbers");
  return value.number.real();
}

Value real_value(double number, double error) {
  Value value;
  value.number = number;
  value.error = error + epsilon * std::abs(number);
  return value;
}

Value whole_value(std::int64_t number) {
  Value value;
  value.number = static_cast<double>(number);
  value.integer = number;
  const auto size = static_cast<std::uint64_t>(std::abs(number)) % field_prime;
  value.residue = number < 0 ? field_negate(size) : size;
  return value;
}

Value factorial(const Value& n) {
  Value value = real_value(std::tgamma(real_of(n) + 1), 0);
  value.error = 64 * epsilon * std::abs(value.number) + 16 * std::abs(value.number) * n.error;
  if (!n.integer) return value;
  if (*n.integer < 0 || *n.integer > largest_factorial) {
    fail(ErrorKind::data, "the factorial of {}: at most {}", *n.integer, largest_factorial);
  }
  value.residue = 1;
  std::int64_t integer = 1;
  bool fits = true;
  for (std::int64_t i = 2; i <= *n.integer; ++i) {
    value.residue = field_multiply(*value.residue, static_cast<std::uint64_t>(i));
    fits = fits && !__builtin_mul_overflow(integer, i, &integer);
  }
  if (fits) value.integer = integer;
  return value;
}

Value binomial(const Value& n, const Value& k) {
  if (!n.integer || !k.integer) {
    const double value =
        std::exp(std::lgamma(real_of(n) + 1) - std::lgamma(real_of(k) + 1) - std::lgamma(real_of(n) - real_of(k) + 1));
    return real_value(value, 256 * epsilon * value);
  }
  if (*k.integer < 0 || *n.integer < *k.integer) {
    fail(ErrorKind::data, "the binomial coefficient of {} and {}", *n.integer, *k.integer);
  }
  const std::int64_t choice = std::min(*k.integer, *n.integer - *k.integer);
  if (choice > largest_choice) fail(ErrorKind::data, "a choice of {}: at most {}", choice, largest_choice);
  Value value = whole_value(1);
  double number = 1;
  for (std::int64_t i = 1; i <= choice; ++i) {
    const std::int64_t factor = *n.integer - choice + i;
    number *= static_cast<double>(factor) / static_cast<double>(i);
    value.residue = field_multiply(
        *value.residue, field_multiply(*whole_value(factor).residue, *field_inverse(static_cast<std::uint64_t>(i))));
  }
  value.number = number;
  value.error = 4 * static_cast<double>(choice + 1) * epsilon * number;
  value.integer.reset();
  if (number < 1e15) value.integer = std::llround(number);
  return value;
}

Value rounded(const Value& argument, double (*round)(double)) {
  if (argument.integer) return argument;
  const double x = real_of(argument);
  if (std::abs(x - std::round(x)) <= 16 * argument.error) return whole_value(std::llround(x));
  if (std::abs(x) > 1e15) fail(ErrorKind::data, "too large to round");
  return whole_value(static_cast<std::int64_t>(round(x)));
}

Value extreme(std::span<const Value> arguments, bool largest) {
  const auto less = [](const Value& a, const Value& b) { return real_of(a) < real_of(b); };
  return largest ? *std::ranges::max_element(arguments, less) : *std::ranges::min_element(arguments, less);
}

Value divisor(std::span<const Value> arguments, bool greatest) {
  std::int64_t result = greatest ? 0 : 1;
  for (const Value& argument : arguments) {
    if (!argument.integer) fail(ErrorKind::data, "divisors of what is no whole number");
    if (!greatest && std::abs(*argument.integer) > 1'000'000) fail(ErrorKind::data, "too large a multiple");
    result = greatest ? std::gcd(result, *argument.integer) : std::lcm(result, *argument.integer) % (1L << 40);
  }
  return whole_value(result);
}

Value logarithm(const Value& argument, const Value& base) {
  const auto log = [](Complex z) { return std::log(z); };
  const Value top = applied(log, argument);
  const Value bottom = applied(log, base);
  if (std::abs(bottom.number) <= 16 * bottom.error) fail(ErrorKind::data, "a logarithm to the base 1");
  Value value;
  value.number = top.number / bottom.number;
  value.error =
      (top.error + std::abs(value.number) * bottom.error) / std::abs(bottom.number) + epsilon * std::abs(value.number);
  return value;
}

Value absolute(const Value& argument) {
  if (argument.integer) return whole_value(std::abs(*argument.integer));
  Value value = real_value(std::abs(argument.number), argument.error);
  if (argument.residue && argument.number.imag() == 0 && argument.number.real() == value.number.real()) {
    value.residue = argument.residue;
  }
  return value;
}

/// arcsin and asin are one; sin with the power −1 is written the first way.
std::string short_name(std::string_view name) {
  return name.starts_with("arc") ? "a" + std::string(name.substr(3)) : std::string(name);
}

}  // namespace

Value function_value(std::string_view name, std::span<const Value> arguments) {
  if (arguments.empty()) fail(ErrorKind::data, "{} of nothing", name);
  const Value& first = arguments[0];
  if (name == "max" || name == "min") return extreme(arguments, name == "max");
  if (name == "gcd" || name == "lcm") return divisor(arguments, name == "gcd");
  if (arguments.size() == 2) {
    if (name == "log") return logarithm(first, arguments[1]);
    if (name == "binom") return binomial(first, arguments[1]);
  }
  if (arguments.size() > 1) fail(ErrorKind::data, "{} of {} arguments", name, arguments.size());
  if (name == "abs") return absolute(first);
  if (name == "factorial") return factorial(first);
  if (name == "floor") return rounded(first, [](double x) { return std::floor(x); });
  if (name == "ceil") return rounded(first, [](double x) { return std::ceil(x); });
  if (name == "Re") return real_value(first.number.real(), first.error);
  if (name == "Im") return real_value(first.number.imag(), first.error);
  if (name == "sgn") return whole_value(real_of(first) > first.error ? 1 : real_of(first) < -first.error ? -1 : 0);
  if (name == "degree") {
    Value value = first;
    value.number *= std::numbers::pi / 180;
    value.error = (value.error + epsilon * std::abs(first.number)) * std::numbers::pi / 90;
    value.residue.reset();
    value.integer.reset();
    return value;
  }
  const std::string known = short_name(name);
  for (const Elementary& function : elementary) {
    if (function.name == known) return applied(function.apply, first);
  }
  fail(ErrorKind::data, "the function {}", name);
}

}  // namespace hone::math
