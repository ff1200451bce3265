#include "rewards/math/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/error.h"
#include "rewards/math/evaluate.h"
#include "rewards/math/field.h"
#include "rewards/math/parse.h"

namespace hone::math {

namespace {

using Kind = Expression::Kind;

constexpr std::uint64_t points = 6;
constexpr std::size_t longest_set = 64;

bool has_decimals(const Expression& e) {
  return (e.is(Kind::number) && e.text.find('.') != std::string::npos) || std::ranges::any_of(e.parts, has_decimals);
}

bool has_infinity(const Expression& e) {
  return (e.is(Kind::constant) && e.text == "infinity") || std::ranges::any_of(e.parts, has_infinity);
}

bool finite(const Value& value) { return std::isfinite(value.number.real()) && std::isfinite(value.number.imag()); }

enum class Verdict { same, different, unknown };

/// Equal residues say that two formulas are the same but for multiples of the prime; the numbers must be near as well.
Verdict at_point(const Value& a, const Value& b) {
  const bool numbers = finite(a) && finite(b);
  const double distance = std::abs(a.number - b.number);
  const double size = std::max(std::abs(a.number), std::abs(b.number));
  const double bound = 16 * (a.error + b.error) + 8 * std::numeric_limits<double>::epsilon() * size;
  if (a.residue && b.residue) {
    const bool near = !numbers || distance <= 1e6 * bound;
    return *a.residue == *b.residue && near ? Verdict::same : Verdict::different;
  }
  if (!numbers) return Verdict::unknown;
  return distance <= bound ? Verdict::same : Verdict::different;
}

bool real(const Value& value) { return value.number.imag() == 0; }

/// With variables: the same wherever both have values, at two points at least. Where variables are negative, only real
/// values count, so that √x·√y and √(xy) are the same.
bool same_functions(const Expression& a, const Expression& b) {
  int agreed = 0;
  for (std::uint64_t point = 0; point < points; ++point) {
    Verdict verdict = Verdict::unknown;
    try {
      const Value left = value_of(a, point);
      const Value right = value_of(b, point);
      const bool comparable = point % 2 == 0 || (left.residue && right.residue) || (real(left) && real(right));
      if (comparable) verdict = at_point(left, right);
    } catch (const Error&) {
      continue;
    }
    if (verdict == Verdict::different) return false;
    agreed += verdict == Verdict::same;
  }
  return agreed >= 2;
}

bool same_values(const Expression& a, const Expression& b, double tolerance) {
  if (has_variables(a) || has_variables(b)) return same_functions(a, b);
  const Value left = value_of(a, 0);
  const Value right = value_of(b, 0);
  if (has_infinity(a) || has_infinity(b)) {
    return left.number == right.number && (finite(left) || (has_infinity(a) && has_infinity(b)));
  }
  const Verdict verdict = at_point(left, right);
  if (verdict == Verdict::same) return true;
  if (!(has_decimals(a) || has_decimals(b)) || !finite(left) || !finite(right)) return false;
  const double smaller = std::min(std::abs(left.number), std::abs(right.number));
  return std::abs(left.number - right.number) <= tolerance * std::min(1.0, 100 * smaller);
}

bool same_in_order(const std::vector<Expression>& a, const std::vector<Expression>& b, double tolerance) {
  return std::ranges::equal(a, b, [&](const auto& x, const auto& y) { return same(x, y, tolerance); });
}

bool same_in_any_order(const std::vector<Expression>& a, const std::vector<Expression>& b, double tolerance) {
  if (a.size() != b.size() || a.size() > longest_set) return false;
  std::vector<bool> used(b.size(), false);
  for (const Expression& item : a) {
    std::size_t i = 0;
    while (i < b.size() && (used[i] || !same(item, b[i], tolerance))) ++i;
    if (i == b.size()) return false;
    used[i] = true;
  }
  return true;
}

/// A matrix of one row or column as a vector.
std::vector<Expression> vector_of(const Expression& list) {
  if (!list.is_list("matrix")) return list.parts;
  if (list.parts.size() == 1) return list.parts[0].parts;
  std::vector<Expression> column;
  for (const Expression& row : list.parts) {
    if (row.parts.size() != 1) return list.parts;
    column.push_back(row.parts[0]);
  }
  return column;
}

/// No interval holds an infinite end: [−∞, 2] is (−∞, 2].
std::string brackets_of(const Expression& e) {
  const auto infinite = [](const Expression& end) {
    const Expression& value = end.is(Kind::negation) ? end.parts[0] : end;
    return value.is(Kind::constant) && value.text == "infinity";
  };
  std::string brackets = e.text;
  if (brackets.size() != 2 || brackets == "{}" || brackets == "::" || e.parts.size() != 2) return brackets;
  if (infinite(e.parts[0])) brackets[0] = '(';
  if (infinite(e.parts[1])) brackets[1] = ')';
  return brackets;
}

bool same_lists(const Expression& a, const Expression& b, double tolerance) {
  const auto unordered = [](const Expression& e) { return e.is_list("") || e.is_list("{}"); };
  if (unordered(a) && unordered(b)) return same_in_any_order(a.parts, b.parts, tolerance);
  const auto plain = [](const Expression& e) { return e.is_list("()") || e.is_list("[]"); };
  const bool vectors = (a.is_list("matrix") && plain(b)) || (plain(a) && b.is_list("matrix"));
  const bool bare = (a.is_list("") && plain(b)) || (plain(a) && b.is_list(""));
  if (brackets_of(a) != brackets_of(b) && !vectors && !bare) return false;
  return same_in_order(vector_of(a), vector_of(b), tolerance);
}

/// x, x_1, f(x), y(t), (a, b): what a definition may have on its left.
bool is_name(const Expression& e) {
  if (e.is_list("()")) return std::ranges::all_of(e.parts, is_name);
  if (e.is(Kind::symbol)) return true;
  if (e.is(Kind::constant)) return e.text == "e" || e.text == "i";
  if (e.is(Kind::call)) return true;
  return e.is(Kind::product) && e.parts.size() == 2 && is_name(e.parts[0]) && e.parts[1].grouped;
}

/// The right side of x = 5 and of chains of equations, and A of x ∈ A; else the expression itself.
Expression defined(const Expression& e) {
  if (!e.is(Kind::relation)) return e;
  if (e.text == "=" || e.text == "e") {
    if (is_name(e.parts[0])) return e.parts[1];
    if (e.text == "=" && is_name(e.parts[1])) return e.parts[0];
  }
  const bool chain = e.text.size() > 1 && e.text.find_first_not_of('=') == std::string::npos;
  return chain ? e.parts.back() : e;
}

Expression infinity(bool negative) {
  Expression value = leaf(Kind::constant, "infinity");
  return negative ? node(Kind::negation, "", std::move(value)) : value;
}

Expression interval(Expression low, Expression high, bool low_closed, bool high_closed) {
  const std::string brackets{low_closed ? '[' : '(', high_closed ? ']' : ')'};
  return node(Kind::list, brackets, std::move(low), std::move(high));
}

/// The relation with every sign turned to < or ≤.
Expression ascending(Expression e) {
  if (e.text.find_first_not_of(">g") != std::string::npos) return e;
  std::ranges::reverse(e.parts);
  std::ranges::reverse(e.text);
  for (char& sign : e.text) sign = sign == '>' ? '<' : 'l';
  return e;
}

/// x > 2, 2 < x and 0 ≤ x < 1 as the interval of x, the name on the left if there is one; ℝ as all of it. Else the
/// expression itself.
Expression as_interval(const Expression& relation) {
  if (relation.is(Kind::symbol) && relation.text == "mathbb{R}") {
    return interval(infinity(true), infinity(false), false, false);
  }
  if (!relation.is(Kind::relation)) return relation;
  const Expression e = ascending(relation);
  if (e.text.find_first_not_of("<l") != std::string::npos || e.text.size() > 2) return relation;
  const bool first_closed = e.text[0] == 'l';
  if (e.text.size() == 2) {
    if (!is_name(e.parts[1])) return relation;
    return interval(e.parts[0], e.parts[2], first_closed, e.text[1] == 'l');
  }
  const bool turned = e.text != relation.text;
  const bool below = is_name(relation.parts[0]) ? !turned : turned;  // the name is the smaller side
  if (!is_name(e.parts[below ? 0 : 1])) return relation;
  if (below) return interval(infinity(true), e.parts[1], false, first_closed);
  return interval(e.parts[0], infinity(false), first_closed, false);
}

Expression difference(const Expression& relation) {
  return node(Kind::sum, "", relation.parts[0], node(Kind::negation, "", relation.parts[1]));
}

/// l − r and l' − r' differ by a constant factor, for inequalities a positive one.
bool proportional(const Expression& a, const Expression& b) {
  const Expression ratio = node(Kind::quotient, "", difference(a), difference(b));
  if (!has_variables(ratio)) return false;
  Value first;
  int agreed = 0;
  for (std::uint64_t point = 0; point < points; ++point) {
    try {
      const Value value = value_of(ratio, point);
      const bool zero = value.residue ? *value.residue == 0 : std::abs(value.number) <= 16 * value.error;
      if (zero || !finite(value) || (a.text != "=" && value.number.real() <= 0)) return false;
      if (agreed++ == 0) first = value;
      if (at_point(first, value) != Verdict::same) return false;
    } catch (const Error&) {
      continue;
    }
  }
  return agreed >= 3;
}

bool same_relations(const Expression& left, const Expression& right, double tolerance) {
  const Expression a = ascending(left);
  const Expression b = ascending(right);
  if (a.text != b.text) return false;
  try {
    if (same_in_order(a.parts, b.parts, tolerance)) return true;
    const bool symmetric = a.text == "=" || a.text == "#" || a.text == "~";
    if (symmetric && same(a.parts[0], b.parts[1], tolerance) && same(a.parts[1], b.parts[0], tolerance)) return true;
  } catch (const Error&) {
    return false;
  }
  return (a.text == "=" || a.text == "<" || a.text == "l" || a.text == "#") && proportional(a, b);
}

}  // namespace

bool same(const Expression& left, const Expression& right, double tolerance) {
  const auto structured = [](const Expression& e) { return e.is(Kind::list) || e.is(Kind::set_union); };
  if (left.is(Kind::relation) && right.is(Kind::relation)) {
    if (same_relations(left, right, tolerance)) return true;
    const bool names = left.text == "=" && right.text == "=" && left.parts.size() + right.parts.size() > 4;
    return names && same(defined(left), defined(right), tolerance);
  }
  Expression a = defined(left);
  Expression b = defined(right);
  if (structured(b)) a = as_interval(a);
  if (structured(a)) b = as_interval(b);
  if (a.kind != b.kind && (structured(a) || structured(b) || a.is(Kind::relation) || b.is(Kind::relation))) {
    const auto only = [](const Expression& e) { return e.is_list("{}") && e.parts.size() == 1; };
    if (only(a) && !structured(b)) return same(a.parts[0], b, tolerance);
    return only(b) && !structured(a) && same(a, b.parts[0], tolerance);
  }
  if (a.is(Kind::list)) return same_lists(a, b, tolerance);
  if (a.is(Kind::set_union)) return same_in_any_order(a.parts, b.parts, tolerance);
  if (a.is(Kind::relation)) return same_relations(a, b, tolerance);
  return same_values(a, b, tolerance);
}

bool has_meaning(const std::vector<Token>& tokens) {
  try {
    const Expression expression = parsed(tokens);
    return same(expression, expression, 0);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace hone::math
