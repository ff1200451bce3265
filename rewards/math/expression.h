#pragma once

#include <string>
#include <utility>
#include <vector>

/// Mathematical answers: text → tokens → expression → comparison by value.
///
///     normalise.h     one way to write what LaTeX and Unicode write in several
///     tokens.h        numbers, letters, commands; units at the end
///     parse.h         tokens to an expression
///     evaluate.h      its value at a point, exact modulo a prime where possible
///     equivalence.h   are two answers the same?
///     final_answer.h  where in a completion the answer stands
namespace hone::math {

/// A value, or a structure of values (list, relation, united sets).
struct Expression {
  enum class Kind {
    number,     ///< text: digits, "." and an exponent
    symbol,     ///< text: its name; a variable
    constant,   ///< text: pi, e, i, infinity
    sum,        ///< of the parts
    product,    ///< of the parts
    quotient,   ///< parts[0] / parts[1]
    power,      ///< parts[0] ^ parts[1]
    root,       ///< the parts[1]-th root of parts[0], real where a real one exists
    negation,   ///< −parts[0]
    function,   ///< text: a known function, applied to the parts
    call,       ///< text: an unknown function, applied to the parts
    list,       ///< text: its brackets, "()", "[)", "{}", "" for 1, 2, "::" for 1:2:3, "matrix" for rows
    relation,   ///< text: one character a sign between the parts: = < > l (≤) g (≥) # (≠) ~ (others) e (∈)
    set_union,  ///< of the parts
  };
  Kind kind = Kind::number;
  std::string text;
  std::vector<Expression> parts;
  bool grouped = false;  ///< stood in brackets of its own

  bool is(Kind which) const { return kind == which; }
  bool is_list(const char* brackets) const { return kind == Kind::list && text == brackets; }
};

inline Expression leaf(Expression::Kind kind, std::string text) { return {kind, std::move(text), {}, false}; }

inline Expression node(Expression::Kind kind, std::string text, std::vector<Expression> parts) {
  return {kind, std::move(text), std::move(parts), false};
}

inline Expression node(Expression::Kind kind, std::string text, Expression part) {
  Expression made{kind, std::move(text), {}, false};
  made.parts.push_back(std::move(part));
  return made;
}

inline Expression node(Expression::Kind kind, std::string text, Expression first, Expression second) {
  Expression made = node(kind, std::move(text), std::move(first));
  made.parts.push_back(std::move(second));
  return made;
}

}  // namespace hone::math
