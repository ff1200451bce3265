#include "text/jinja/expression_parser.h"

#include <algorithm>

namespace hone::jinja {

namespace {

std::string described(const Token& token) {
  switch (token.kind) {
    case TokenKind::data: return "text";
    case TokenKind::variable_begin: return "'{{'";
    case TokenKind::variable_end: return "'}}'";
    case TokenKind::block_begin: return "'{%'";
    case TokenKind::block_end: return "'%}'";
    case TokenKind::string: return "a string";
    case TokenKind::end: return "the end of the template";
    default: return "'" + token.text + "'";
  }
}

}  // namespace

bool ExpressionParser::skip_op(std::string_view spelling) {
  if (!current().is_op(spelling)) return false;
  take();
  return true;
}

bool ExpressionParser::skip_name(std::string_view word) {
  if (!current().is_name(word)) return false;
  take();
  return true;
}

void ExpressionParser::unexpected(std::string_view expected) const {
  fail(current().line, "expected {}, got {}", expected, described(current()));
}

void ExpressionParser::expect_op(std::string_view spelling) {
  if (!skip_op(spelling)) unexpected(fmt::format("'{}'", spelling));
}

std::string ExpressionParser::expect_name(std::string_view what) {
  if (current().kind != TokenKind::name) unexpected(what);
  return take().text;
}

void ExpressionParser::enter() {
  if (++depth_ > limits_.nesting) {
    fail(current().line, "brackets, operators or blocks are nested deeper than {} levels", limits_.nesting);
  }
}

ExprPtr ExpressionParser::make(ExprKind kind, int line) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->line = line;
  return expr;
}

/// Sets the height from the parts, so that evaluating and destroying a tree never recurse deeper than the limit.
ExprPtr ExpressionParser::grown(ExprPtr expr) const {
  int below = 0;
  const auto measure = [&](const ExprPtr& part) {
    if (part != nullptr) below = std::max(below, part->height);
  };
  measure(expr->a), measure(expr->b), measure(expr->c);
  measure(expr->arguments.star), measure(expr->arguments.star_star);
  for (const ExprPtr& item : expr->items) measure(item);
  for (const ExprPtr& item : expr->arguments.positional) measure(item);
  for (const auto& [name, item] : expr->arguments.named) measure(item);
  expr->height = below + 1;
  if (expr->height > limits_.nesting) {
    fail(expr->line, "brackets, operators or blocks are nested deeper than {} levels", limits_.nesting);
  }
  return expr;
}

ExprPtr ExpressionParser::join(ExprKind kind, ExprPtr a, ExprPtr b, int line) const {
  ExprPtr expr = make(kind, line);
  expr->a = std::move(a);
  expr->b = std::move(b);
  return grown(std::move(expr));
}

ExprPtr ExpressionParser::binary(Op op, ExprPtr a, ExprPtr b, int line) const {
  ExprPtr expr = join(ExprKind::binary, std::move(a), std::move(b), line);
  expr->op = op;
  return expr;
}

ExprPtr ExpressionParser::expression(bool with_conditional) {
  const Level level(*this);
  return with_conditional ? conditional() : or_expression();
}

ExprPtr ExpressionParser::conditional() {
  const Level level(*this);
  const int line = current().line;
  ExprPtr expr = or_expression();
  while (skip_name("if")) {
    ExprPtr choice = make(ExprKind::conditional, line);
    choice->a = std::move(expr);
    choice->b = or_expression();
    if (skip_name("else")) choice->c = conditional();
    expr = grown(std::move(choice));
  }
  return expr;
}

ExprPtr ExpressionParser::or_expression() {
  const int line = current().line;
  ExprPtr left = and_expression();
  while (skip_name("or")) left = join(ExprKind::or_, std::move(left), and_expression(), line);
  return left;
}

ExprPtr ExpressionParser::and_expression() {
  const int line = current().line;
  ExprPtr left = not_expression();
  while (skip_name("and")) left = join(ExprKind::and_, std::move(left), not_expression(), line);
  return left;
}

ExprPtr ExpressionParser::not_expression() {
  if (!current().is_name("not")) return compare();
  const Level level(*this);
  const int line = take().line;
  return join(ExprKind::not_, not_expression(), nullptr, line);
}

ExprPtr ExpressionParser::compare() {
  static const std::pair<std::string_view, Op> spellings[] = {{"==", Op::eq}, {"!=", Op::ne}, {"<", Op::lt},
                                                              {"<=", Op::le}, {">", Op::gt},  {">=", Op::ge}};
  const int line = current().line;
  ExprPtr first = sum();
  ExprPtr chain;
  for (;;) {
    Op op = Op::in;
    const auto spelling = std::ranges::find_if(spellings, [&](const auto& s) { return current().is_op(s.first); });
    if (spelling != std::end(spellings)) {
      op = spelling->second;
      take();
    } else if (current().is_name("not") && following().is_name("in")) {
      op = Op::not_in;
      take(), take();
    } else if (!skip_name("in")) {
      break;
    }
    if (chain == nullptr) {
      chain = make(ExprKind::compare, line);
      chain->a = std::move(first);
    }
    chain->ops.push_back(op);
    chain->items.push_back(sum());
  }
  return chain == nullptr ? std::move(first) : grown(std::move(chain));
}

ExprPtr ExpressionParser::sum() {
  const int line = current().line;
  ExprPtr left = concat();
  for (;;) {
    if (skip_op("+")) left = binary(Op::add, std::move(left), concat(), line);
    else if (skip_op("-")) left = binary(Op::subtract, std::move(left), concat(), line);
    else return left;
  }
}

ExprPtr ExpressionParser::concat() {
  const int line = current().line;
  ExprPtr first = product();
  if (!current().is_op("~")) return first;
  ExprPtr expr = make(ExprKind::concat, line);
  expr->items.push_back(std::move(first));
  while (skip_op("~")) expr->items.push_back(product());
  return grown(std::move(expr));
}

ExprPtr ExpressionParser::product() {
  const int line = current().line;
  ExprPtr left = power();
  for (;;) {
    if (skip_op("*")) left = binary(Op::multiply, std::move(left), power(), line);
    else if (skip_op("/")) left = binary(Op::divide, std::move(left), power(), line);
    else if (skip_op("//")) left = binary(Op::floor_divide, std::move(left), power(), line);
    else if (skip_op("%")) left = binary(Op::modulo, std::move(left), power(), line);
    else return left;
  }
}

ExprPtr ExpressionParser::power() {
  const int line = current().line;
  ExprPtr left = unary(true);
  while (skip_op("**")) left = binary(Op::power, std::move(left), unary(true), line);
  return left;
}

ExprPtr ExpressionParser::unary(bool with_filters) {
  const Level level(*this);
  const int line = current().line;
  ExprPtr expr;
  if (skip_op("-")) expr = join(ExprKind::negative, unary(false), nullptr, line);
  else if (skip_op("+")) expr = join(ExprKind::positive, unary(false), nullptr, line);
  else expr = primary();
  expr = postfix(std::move(expr));
  return with_filters ? filters_tests_calls(std::move(expr)) : std::move(expr);
}

ExprPtr ExpressionParser::postfix(ExprPtr expr) {
  for (;;) {
    if (current().is_op(".") || current().is_op("[")) expr = subscript(std::move(expr));
    else if (current().is_op("(")) expr = call(std::move(expr));
    else return expr;
  }
}

ExprPtr ExpressionParser::filters_tests_calls(ExprPtr expr) {
  for (;;) {
    if (current().is_op("|")) expr = filters(std::move(expr), false);
    else if (current().is_name("is")) expr = test(std::move(expr));
    else if (current().is_op("(")) expr = call(std::move(expr));
    else return expr;
  }
}

ExprPtr ExpressionParser::filters(ExprPtr input, bool starts_with_name) {
  while (starts_with_name || skip_op("|")) {
    starts_with_name = false;
    ExprPtr expr = make(ExprKind::filter, current().line);
    std::string name = expect_name("the name of a filter");
    while (skip_op(".")) name += "." + expect_name("the name of a filter");
    expr->filter = find_filter(name);
    expr->text = program_.constants.add(std::move(name));
    expr->a = std::move(input);
    if (current().is_op("(")) expr->arguments = call_arguments();
    input = grown(std::move(expr));
  }
  return input;
}

ExprPtr ExpressionParser::test(ExprPtr input) {
  const int line = take().line;
  const bool negated = skip_name("not");
  ExprPtr expr = make(ExprKind::test, line);
  std::string name = expect_name("the name of a test");
  while (skip_op(".")) name += "." + expect_name("the name of a test");
  expr->test = find_test(name);
  expr->text = program_.constants.add(std::move(name));
  expr->a = std::move(input);
  const Token& next = current();
  const bool is_word = next.is_name("else") || next.is_name("or") || next.is_name("and");
  if (next.is_op("(")) {
    expr->arguments = call_arguments();
  } else if ((next.kind == TokenKind::name && !is_word) || next.kind == TokenKind::string ||
             next.kind == TokenKind::integer || next.kind == TokenKind::real || next.is_op("[") || next.is_op("{")) {
    if (next.is_name("is")) fail(next.line, "tests cannot be chained: write 'a is x and a is y'");
    expr->arguments.positional.push_back(postfix(primary()));
  }
  expr = grown(std::move(expr));
  return negated ? join(ExprKind::not_, std::move(expr), nullptr, line) : std::move(expr);
}

ExprPtr ExpressionParser::call(ExprPtr callee) {
  ExprPtr expr = make(ExprKind::call, current().line);
  expr->a = std::move(callee);
  expr->arguments = call_arguments();
  return grown(std::move(expr));
}

CallArguments ExpressionParser::call_arguments() {
  const int line = current().line;
  CallArguments arguments;
  expect_op("(");
  const auto ensure = [&](bool order) {
    if (!order) fail(line, "the arguments of a call are in the wrong order");
  };
  for (bool first = true; !current().is_op(")"); first = false) {
    if (!first) {
      expect_op(",");
      if (current().is_op(")")) break;
    }
    if (skip_op("*")) {
      ensure(arguments.star == nullptr && arguments.star_star == nullptr);
      arguments.star = expression();
    } else if (skip_op("**")) {
      ensure(arguments.star_star == nullptr);
      arguments.star_star = expression();
    } else if (current().kind == TokenKind::name && following().is_op("=")) {
      ensure(arguments.star_star == nullptr);
      const std::string name = take().text;
      take();
      for (const auto& [other, value] : arguments.named) {
        if (other->view() == name) fail(line, "the argument '{}' is given twice", name);
      }
      ExprPtr value = expression();
      arguments.named.emplace_back(program_.constants.add(name), std::move(value));
    } else {
      ensure(arguments.star == nullptr && arguments.star_star == nullptr && arguments.named.empty());
      arguments.positional.push_back(expression());
    }
  }
  expect_op(")");
  return arguments;
}

}  // namespace hone::jinja
