#include <charconv>
#include <cmath>

#include "text/jinja/expression_parser.h"

namespace hone::jinja {

ExprPtr ExpressionParser::primary() {
  const Token& token = current();
  switch (token.kind) {
    case TokenKind::name: return name_or_constant();
    case TokenKind::string: return string_constant();
    case TokenKind::integer: return integer_constant();
    case TokenKind::real: {
      ExprPtr expr = make(ExprKind::constant, token.line);
      double value = HUGE_VAL;  // what Python reads when it is too large
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
      expr->value = Value::of(value);
      take();
      return expr;
    }
    default: break;
  }
  if (token.is_op("(")) {
    take();
    ExprPtr expr = tuple(true, {}, true);
    expect_op(")");
    return expr;
  }
  if (token.is_op("[")) return list();
  if (token.is_op("{")) return dict();
  unexpected("an expression");
}

void ExpressionParser::note_name(int symbol) {
  if (symbol == Symbols::loop) {
    for (Stmt* statement : fors_) statement->uses_loop = true;
  }
  for (MacroDefinition* macro : macros_) {
    if (symbol == Symbols::caller) macro->uses_caller = true;
    if (symbol == Symbols::varargs) macro->uses_varargs = true;
    if (symbol == Symbols::kwargs) macro->uses_kwargs = true;
  }
}

ExprPtr ExpressionParser::name_or_constant() {
  const Token token = take();
  ExprPtr expr = make(ExprKind::constant, token.line);
  if (token.text == "true" || token.text == "True") {
    expr->value = Value::of(true);
  } else if (token.text == "false" || token.text == "False") {
    expr->value = Value::of(false);
  } else if (token.text == "none" || token.text == "None") {
    expr->value = Value::none();
  } else {
    expr->kind = ExprKind::name;
    expr->symbol = program_.symbols.of(token.text);
    note_name(expr->symbol);
  }
  return expr;
}

ExprPtr ExpressionParser::string_constant() {
  ExprPtr expr = make(ExprKind::constant, current().line);
  std::string text;
  while (current().kind == TokenKind::string) text += take().text;
  expr->value = Value::of(program_.constants.add(std::move(text)));
  return expr;
}

ExprPtr ExpressionParser::integer_constant() {
  const Token token = take();
  std::string_view digits = token.text;
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char prefix = static_cast<char>(digits[1] | 0x20);
    base = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 10;
    if (base != 10) digits.remove_prefix(2);
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc()) fail(token.line, "the integer {} does not fit 64 bits", token.text);
  ExprPtr expr = make(ExprKind::constant, token.line);
  expr->value = Value::of(value);
  return expr;
}

ExprPtr ExpressionParser::tuple(bool with_conditional, std::string_view end_word, bool in_brackets) {
  ExprPtr items = make(ExprKind::tuple, current().line);
  const auto at_end = [&] {
    return current().ends_tag() || current().is_op(")") || (!end_word.empty() && current().is_name(end_word));
  };
  bool comma = false;
  while (!at_end()) {
    items->items.push_back(expression(with_conditional));
    comma = false;
    if (!skip_op(",")) break;
    comma = true;
  }
  if (items->items.size() == 1 && !comma) return std::move(items->items.front());
  if (items->items.empty() && !in_brackets) unexpected("an expression");
  return grown(std::move(items));
}

ExprPtr ExpressionParser::list() {
  ExprPtr expr = make(ExprKind::list, current().line);
  expect_op("[");
  while (!current().is_op("]")) {
    if (!expr->items.empty()) {
      expect_op(",");
      if (current().is_op("]")) break;
    }
    expr->items.push_back(expression());
  }
  expect_op("]");
  return grown(std::move(expr));
}

ExprPtr ExpressionParser::dict() {
  ExprPtr expr = make(ExprKind::dict, current().line);
  expect_op("{");
  while (!current().is_op("}")) {
    if (!expr->items.empty()) {
      expect_op(",");
      if (current().is_op("}")) break;
    }
    expr->items.push_back(expression());
    expect_op(":");
    expr->items.push_back(expression());
  }
  expect_op("}");
  return grown(std::move(expr));
}

ExprPtr ExpressionParser::subscript(ExprPtr owner) {
  const Token token = take();
  if (token.text == ".") {
    if (current().kind == TokenKind::integer) {
      return join(ExprKind::item, std::move(owner), integer_constant(), token.line);
    }
    const std::string name = expect_name("the name or number of an attribute");
    ExprPtr expr = join(ExprKind::attribute, std::move(owner), nullptr, token.line);
    expr->text = program_.constants.add(name);
    return expr;
  }
  ExprPtr key = make(ExprKind::tuple, token.line);
  while (!current().is_op("]")) {
    if (!key->items.empty()) expect_op(",");
    key->items.push_back(subscribed());
  }
  expect_op("]");
  if (key->items.size() == 1) key = std::move(key->items.front());
  else key = grown(std::move(key));
  return join(ExprKind::item, std::move(owner), std::move(key), token.line);
}

ExprPtr ExpressionParser::subscribed() {
  ExprPtr slice = make(ExprKind::slice, current().line);
  const auto at_end = [&] { return current().is_op("]") || current().is_op(",") || current().is_op(":"); };
  if (!current().is_op(":")) {
    ExprPtr first = expression();
    if (!current().is_op(":")) return first;
    slice->a = std::move(first);
  }
  expect_op(":");
  if (!at_end()) slice->b = expression();
  if (skip_op(":") && !at_end()) slice->c = expression();
  return grown(std::move(slice));
}

Target ExpressionParser::target_primary(bool with_attributes) {
  const Level level(*this);
  Target target;
  const int line = current().line;
  if (skip_op("(")) {
    target.is_tuple = true;
    bool comma = false;
    while (!current().is_op(")")) {
      target.several.push_back(target_primary(false));
      comma = skip_op(",");
      if (!comma) break;
    }
    expect_op(")");
    if (target.several.size() == 1 && !comma) return std::move(target.several.front());
    return target;
  }
  const std::string name = expect_name("the name of a variable");
  for (const char* constant : {"true", "false", "none", "True", "False", "None"}) {
    if (name == constant) fail(line, "cannot assign to '{}'", name);
  }
  target.symbol = program_.symbols.of(name);
  if (with_attributes && skip_op(".")) {
    target.attribute = program_.constants.add(expect_name("the name of an attribute"));
  }
  return target;
}

Target ExpressionParser::assign_target(std::string_view end_word, bool with_attributes) {
  Target all;
  all.is_tuple = true;
  bool comma = false;
  while (!current().ends_tag() && !current().is_op(")") && !(!end_word.empty() && current().is_name(end_word))) {
    all.several.push_back(target_primary(with_attributes));
    comma = skip_op(",");
    if (!comma) break;
  }
  if (all.several.empty()) unexpected("the name of a variable");
  if (all.several.size() == 1 && !comma) return std::move(all.several.front());
  return all;
}

}  // namespace hone::jinja
