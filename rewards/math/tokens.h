#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hone::math {

struct Token {
  enum class Kind {
    number,   ///< digits without separators, "." and an exponent
    letter,   ///< a variable: one letter, a Greek command, \mathbb{R} (text: its name)
    word,     ///< two or more plain letters that are no function's name
    command,  ///< text: name of a LaTeX command or of a function, without the backslash
    text,     ///< contents of \text{…} and its kin
    sign,     ///< anything else, by its character; "\\{", "\\}" and "\\\\" as written
    end,
  };
  Kind kind = Kind::end;
  std::string text;
  bool space_before = false;

  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_command(std::string_view name) const { return kind == Kind::command && text == name; }
};

/// The tokens of a normalised text, with an end token. "1,234,567" is one number outside brackets, two or three parts
/// of a list inside. Error{data} for what no expression can hold (\sum, \int, …) and for more than 2,000 tokens.
std::vector<Token> tokens_of(std::string_view text);

/// Takes the unit off the end: \text{…} or a unit's name after a value, with its exponent; "%" and "degree" too.
/// Returns it in lower case and singular, "" when there is none.
std::string take_unit(std::vector<Token>& tokens);

/// Functions whose value is computed.
bool is_function(std::string_view name);

}  // namespace hone::math
