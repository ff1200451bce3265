#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/tokens.h"

namespace hone::math {

/// One reading of the tokens by recursive descent (parse.h has the grammar): `upper` takes the upper sign of each ±.
/// parse.cpp holds the operators, parse_primary.cpp what they stand between.
class Parser {
 public:
  Parser(const std::vector<Token>& tokens, bool upper) : tokens_(tokens), upper_(upper) {}
  Expression answer();
  /// Was there a ±?
  bool both() const { return both_; }

 private:
  static constexpr int most_depth = 200;

  const Token& now() const { return tokens_[at_]; }
  void descend();
  bool take(std::string_view sign);
  bool take_command(std::string_view name);
  void expect(std::string_view sign);
  char relation_sign();
  int adding_sign();
  bool begins_factor() const;
  bool comma_in_brackets() const;
  static bool begins_primary(std::string_view command);
  static bool is_letter_command(std::string_view name);

  Expression items();
  Expression ratio();
  Expression relation();
  Expression united();
  Expression sum();
  Expression product();
  Expression signed_power();
  Expression power();
  Expression exponent();

  Expression primary();
  Expression primary_of_command();
  Expression number();
  Expression name();
  Expression bracketed();
  Expression set();
  Expression braced();
  Expression bars();
  Expression between(std::string_view function, std::string_view closing);
  Expression argument(bool one_digit);
  Expression fraction();
  Expression root();
  Expression function(std::string name);
  Expression function_argument();
  Expression matrix(const std::string& environment);
  std::string subscript();

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  bool upper_ = true;
  bool both_ = false;
  int bars_ = 0;  ///< open |
  int depth_ = 0;
  std::string split_;  ///< digits left of a number of which \frac took the first
};

}  // namespace hone::math
