#include "rewards/math/evaluate.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "base/random.h"
#include "rewards/math/field.h"
#include "rewards/math/functions.h"

namespace hone::math {

namespace {

using Kind = Expression::Kind;
using Complex = std::complex<double>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

Value number_value(const std::string& text) {
  Value value;
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc::result_out_of_range) number = std::numeric_limits<double>::infinity();
  value.number = number;
  value.error = epsilon * number;
  value.residue = field_of_decimal(text);
  std::int64_t integer = 0;
  const auto whole = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (whole.ec == std::errc() && whole.ptr == text.data() + text.size()) value.integer = integer;
  return value;
}

Value random_value(std::uint64_t key, std::uint64_t point) {
  Random random(key, point);
  Value value;
  const double size = 0.2 + 1.6 * random.uniform();
  value.number = point % 2 == 1 && random.below(2) == 1 ? -size : size;
  value.residue = random.below(field_prime);
  return value;
}

Value constant_value(const std::string& name, std::uint64_t point) {
  Value value;
  if (name == "i") {
    value.number = Complex(0, 1);
    return value;
  }
  if (name == "infinity") {
    value.number = std::numeric_limits<double>::infinity();
    return value;
  }
  value = random_value(stream_key(0, "math." + name), point);
  value.number = name == "pi" ? std::numbers::pi : std::numbers::e;
  value.error = epsilon * std::abs(value.number);
  return value;
}

Value added(const Value& a, const Value& b) {
  Value sum;
  sum.number = a.number + b.number;
  sum.error = a.error + b.error + epsilon * std::max(std::abs(a.number), std::abs(b.number));
  if (a.residue && b.residue) sum.residue = field_add(*a.residue, *b.residue);
  std::int64_t integer = 0;
  if (a.integer && b.integer && !__builtin_add_overflow(*a.integer, *b.integer, &integer)) sum.integer = integer;
  return sum;
}

Value negated(Value a) {
  a.number = -a.number;
  if (a.residue) a.residue = field_negate(*a.residue);
  if (a.integer) a.integer = -*a.integer;
  return a;
}

Value multiplied(const Value& a, const Value& b) {
  Value product;
  product.number = a.number * b.number;
  product.error = std::abs(a.number) * b.error + std::abs(b.number) * a.error + epsilon * std::abs(product.number);
  if (a.residue && b.residue) product.residue = field_multiply(*a.residue, *b.residue);
  std::int64_t integer = 0;
  if (a.integer && b.integer && !__builtin_mul_overflow(*a.integer, *b.integer, &integer)) product.integer = integer;
  return product;
}

Value divided(const Value& a, const Value& b) {
  if (b.residue ? *b.residue == 0 : std::abs(b.number) <= 16 * b.error) fail(ErrorKind::data, "division by zero");
  Value quotient;
  quotient.number = a.number / b.number;
  quotient.error =
      (a.error + std::abs(quotient.number) * b.error) / std::abs(b.number) + epsilon * std::abs(quotient.number);
  if (a.residue && b.residue) quotient.residue = field_multiply(*a.residue, *field_inverse(*b.residue));
  if (a.integer && b.integer && *b.integer != 0 && *b.integer != -1 && *a.integer % *b.integer == 0) {
    quotient.integer = *a.integer / *b.integer;
  }
  return quotient;
}

Value raised(const Value& base, const Value& exponent) {
  Value power;
  const bool whole = exponent.integer.has_value();
  if (whole && base.number.imag() == 0) {
    power.number = std::pow(base.number.real(), static_cast<double>(*exponent.integer));
  } else if (base.number.imag() == 0 && base.number.real() > 0 && exponent.number.imag() == 0) {
    power.number = std::pow(base.number.real(), exponent.number.real());
  } else {
    power.number = std::pow(base.number, exponent.number);
  }
  if (base.number == 0.0 && exponent.number.real() <= 0 && !(whole && *exponent.integer == 0)) {
    fail(ErrorKind::data, "division by zero");
  }
  const double size = std::abs(base.number);
  const double log = size > 0 ? std::abs(std::log(size)) + (base.number.real() < 0 ? 3.2 : 0.0) : 0.0;
  power.error = std::abs(power.number) *
                ((size > 0 ? std::abs(exponent.number) * base.error / size : 0.0) + log * exponent.error + 4 * epsilon);
  if (!whole || !base.residue) return power;
  const auto n = static_cast<std::uint64_t>(std::abs(*exponent.integer));
  power.residue = field_power(*base.residue, n);
  if (*exponent.integer < 0) power.residue = field_inverse(*power.residue);
  std::int64_t integer = 1;
  bool fits = base.integer.has_value() && *exponent.integer >= 0 && n <= 63;
  for (std::uint64_t i = 0; fits && i < n; ++i) fits = !__builtin_mul_overflow(integer, *base.integer, &integer);
  if (fits) power.integer = integer;
  return power;
}

/// The real root where there is one: of positive numbers, and odd roots of negative ones.
Value rooted(const Value& base, const Value& degree) {
  if (degree.integer && *degree.integer == 0) fail(ErrorKind::data, "a root of degree 0");
  Value one;
  one.number = 1;
  one.residue = one.integer = 1;
  const bool negative = base.number.imag() == 0 && base.number.real() < 0;
  if (negative && degree.integer && *degree.integer % 2 != 0) return negated(rooted(negated(base), degree));
  Value root = raised(base, divided(one, degree));
  if (!degree.integer || !base.integer || *base.integer < 0 || *degree.integer < 1) return root;
  // perfect powers stay exact
  Value guess;
  guess.integer = std::llround(root.number.real());
  guess.number = static_cast<double>(*guess.integer);
  guess.residue = static_cast<std::uint64_t>(*guess.integer) % field_prime;
  return raised(guess, degree).integer == base.integer ? guess : root;
}

/// Of an unknown function; `symmetric` when the order of its arguments does not matter.
Value called(const Expression& expression, std::uint64_t point, bool symmetric) {
  const std::uint64_t name = stream_key(0, "math.call." + expression.text);
  const auto rounded = [](double x) {
    return static_cast<std::uint64_t>(std::llround(std::clamp(x, -1e9, 1e9) * 1e6));
  };
  std::uint64_t key = name;
  for (const Expression& part : expression.parts) {
    const Value argument = value_of(part, point);
    const std::uint64_t address =
        argument.residue.value_or(rounded(argument.number.real()) * 31 + rounded(argument.number.imag()));
    key = symmetric ? key + Random(name, address).next64() : Random(key, address).next64();
  }
  return random_value(key, point);
}

template <class Combine>
Value folded(const Expression& expression, std::uint64_t point, Combine combine) {
  Value value = value_of(expression.parts.at(0), point);
  for (std::size_t i = 1; i < expression.parts.size(); ++i) {
    value = combine(value, value_of(expression.parts[i], point));
  }
  return value;
}

}  // namespace

Value value_of(const Expression& expression, std::uint64_t point) {
  const auto part = [&](std::size_t i) { return value_of(expression.parts.at(i), point); };
  switch (expression.kind) {
    case Kind::number: return number_value(expression.text);
    case Kind::symbol: return random_value(stream_key(0, "math.symbol." + expression.text), point);
    case Kind::constant: return constant_value(expression.text, point);
    case Kind::sum: return folded(expression, point, added);
    case Kind::product: return folded(expression, point, multiplied);
    case Kind::quotient: return divided(part(0), part(1));
    case Kind::power: return raised(part(0), part(1));
    case Kind::root: return rooted(part(0), part(1));
    case Kind::negation: return negated(part(0));
    case Kind::call: return called(expression, point, false);
    case Kind::function: {
      std::vector<Value> arguments;
      for (std::size_t i = 0; i < expression.parts.size(); ++i) arguments.push_back(part(i));
      const bool divisors = expression.text == "gcd" || expression.text == "lcm";
      const bool known = std::ranges::all_of(arguments, [](const Value& value) { return value.integer.has_value(); });
      if (divisors && !known) return called(expression, point, true);
      return function_value(expression.text, arguments);
    }
    case Kind::list:
    case Kind::relation:
    case Kind::set_union: break;
  }
  fail(ErrorKind::data, "a list or a relation has no value");
}

bool has_variables(const Expression& expression) {
  return expression.is(Kind::symbol) || expression.is(Kind::call) ||
         std::ranges::any_of(expression.parts, has_variables);
}

}  // namespace hone::math
