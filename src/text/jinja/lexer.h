#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hone::jinja {

enum class TokenKind {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  op,  ///< an operator, bracket or comma: its spelling is the text
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  ///< strings: without quotes and escapes
  int line = 1;

  bool is_op(std::string_view spelling) const { return kind == TokenKind::op && text == spelling; }
  bool is_name(std::string_view word) const { return kind == TokenKind::name && text == word; }
  bool ends_tag() const {
    return kind == TokenKind::variable_end || kind == TokenKind::block_end || kind == TokenKind::end;
  }
};

/// The tokens of a template as Jinja2 makes them with trim_blocks and lstrip_blocks, the last one `end`. Line ends become
/// "\n", and one at the very end is dropped. Error{data} with `where` and the line for what is no token.
std::vector<Token> tokenize(std::string_view source, std::string_view where);

}  // namespace hone::jinja
