#include <algorithm>
#include <array>

#include "base/error.h"
#include "rewards/math/parser.h"

namespace hone::math {

namespace {

using Kind = Expression::Kind;

constexpr std::string_view applied_letters = "fghFGHO";  // f(x) applies, a(x) multiplies
constexpr std::array<std::string_view, 9> opaque{"dim", "ker", "det", "deg", "rank", "tr", "Tr", "arg", "Pr"};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool digits_only(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

bool Parser::begins_primary(std::string_view command) {
  return command == "frac" || command == "sqrt" || command == "pi" || command == "infty" || command == "binom" ||
         command == "langle" || command == "lfloor" || command == "lceil" || command == "emptyset" ||
         command == "varnothing" || is_function(command) || contains(opaque, command) ||
         command.starts_with("begin:") || (command.size() > 1 && is_letter_command(command));
}

bool Parser::is_letter_command(std::string_view name) {
  static constexpr std::array<std::string_view, 44> letters{
      "alpha",    "beta",    "gamma", "delta",  "epsilon", "varepsilon", "zeta",  "eta",   "theta",
      "vartheta", "iota",    "kappa", "lambda", "mu",      "nu",         "xi",    "rho",   "sigma",
      "tau",      "upsilon", "phi",   "varphi", "chi",     "psi",        "omega", "Gamma", "Delta",
      "Theta",    "Lambda",  "Xi",    "Pi",     "Sigma",   "Phi",        "Psi",   "Omega", "Upsilon",
      "aleph",    "ell",     "hbar",  "nabla",  "partial", "varrho",     "top",   "beth"};
  return contains(letters, name);
}

Expression Parser::primary() {
  descend();
  Expression result;
  const Token& token = now();
  switch (token.kind) {
    case Token::Kind::number: result = number(); break;
    case Token::Kind::letter:
    case Token::Kind::word: result = name(); break;
    case Token::Kind::text: result = leaf(Kind::symbol, "text:" + tokens_[at_++].text); break;
    case Token::Kind::command: result = primary_of_command(); break;
    case Token::Kind::sign:
      if (token.is("(") || token.is("[")) {
        result = bracketed();
      } else if (token.is("\\{")) {
        result = set();
      } else if (token.is("{")) {
        result = braced();
      } else if (token.is("|")) {
        result = bars();
      } else {
        fail(ErrorKind::data, "a value cannot begin with {}", token.text);
      }
      break;
    case Token::Kind::end: fail(ErrorKind::data, "a value is missing at the end");
  }
  --depth_;
  return result;
}

Expression Parser::number() {
  Expression value = leaf(Kind::number, tokens_[at_++].text);
  if (now().is("_")) fail(ErrorKind::data, "numbers to another base are not computed");
  // "2 1/2"
  const Token* next = &tokens_[at_];
  if (digits_only(value.text) && next->kind == Token::Kind::number && next->space_before && digits_only(next->text) &&
      next[1].is("/") && next[2].kind == Token::Kind::number && digits_only(next[2].text)) {
    at_ += 3;
    Expression part = node(Kind::quotient, "", leaf(Kind::number, next->text), leaf(Kind::number, next[2].text));
    value = node(Kind::sum, "", std::move(value), std::move(part));
  }
  return value;
}

/// The raw text of a subscript, "" when there is none.
std::string Parser::subscript() {
  if (!take("_")) return {};
  if (!now().is("{")) {
    if (now().kind == Token::Kind::end) fail(ErrorKind::data, "a subscript is missing");
    return "_" + tokens_[at_++].text;
  }
  std::string text = "_";
  int depth = 0;
  do {
    if (now().kind == Token::Kind::end) fail(ErrorKind::data, "braces are not closed");
    depth += now().is("{") ? 1 : now().is("}") ? -1 : 0;
    if (!now().is("{") && !now().is("}")) text += now().text;
    ++at_;
  } while (depth > 0);
  return text;
}

/// Do the brackets that open here hold a list, as in u(x, t)?
bool Parser::comma_in_brackets() const {
  int depth = 0;
  for (std::size_t i = at_; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    depth += token.is("(") || token.is("[") || token.is("{") || token.is("\\{");
    depth -= token.is(")") || token.is("]") || token.is("}") || token.is("\\}");
    if (depth == 0) return false;
    if (depth == 1 && token.is(",")) return true;
  }
  return false;
}

Expression Parser::name() {
  const Token token = tokens_[at_++];
  if (token.kind == Token::Kind::word) {
    if (token.text.size() > 3) fail(ErrorKind::data, "the word {}", token.text);
    Expression product = node(Kind::product, "", std::vector<Expression>());
    for (const char letter : token.text) {
      const bool constant = letter == 'e' || letter == 'i';
      product.parts.push_back(leaf(constant ? Kind::constant : Kind::symbol, std::string(1, letter)));
    }
    const bool last_is_base = now().is("^");  // in xy^2 the power is y's
    if (!last_is_base) return product;
    Expression last = std::move(product.parts.back());
    ++at_;
    product.parts.back() = node(Kind::power, "", std::move(last), exponent());
    return product;
  }
  std::string text = token.text + subscript();
  bool primed = false;
  while (take("'")) {
    text += "'";
    primed = true;
  }
  text += subscript();
  const bool applies = primed || (token.text.size() == 1 && applied_letters.find(token.text) != std::string_view::npos);
  if (now().is("(") && (applies || comma_in_brackets())) {
    Expression arguments = bracketed();
    if (arguments.is_list("()")) return node(Kind::call, text, std::move(arguments.parts));
    return node(Kind::call, text, std::move(arguments));
  }
  return leaf(text == "e" || text == "i" ? Kind::constant : Kind::symbol, text);
}

Expression Parser::bracketed() {
  const int bars = std::exchange(bars_, 0);
  std::string brackets = tokens_[at_++].text;
  if (take(")") || take("]")) fail(ErrorKind::data, "empty brackets");
  Expression inner = items();
  if (!now().is(")") && !now().is("]")) fail(ErrorKind::data, "a bracket is not closed before {}", now().text);
  brackets += tokens_[at_++].text;
  bars_ = bars;
  if (inner.is_list("") && !inner.grouped) {
    inner.text = brackets;
  } else if (brackets == "(]" || brackets == "[)") {
    fail(ErrorKind::data, "an interval has two ends");
  }
  inner.grouped = true;
  return inner;
}

Expression Parser::set() {
  ++at_;
  if (take("\\}")) return node(Kind::list, "{}", std::vector<Expression>());
  Expression inner = items();
  expect("\\}");
  if (inner.is_list("") && !inner.grouped) {
    inner.text = "{}";
    return inner;
  }
  return node(Kind::list, "{}", std::move(inner));
}

Expression Parser::braced() {
  const int bars = std::exchange(bars_, 0);
  expect("{");
  Expression inner = items();
  expect("}");
  bars_ = bars;
  inner.grouped = true;
  return inner;
}

Expression Parser::bars() {
  expect("|");
  ++bars_;
  Expression inner = sum();
  expect("|");
  --bars_;
  return node(Kind::function, "abs", std::move(inner));
}

Expression Parser::between(std::string_view function, std::string_view end) {
  Expression inner = sum();
  if (!take_command(end)) fail(ErrorKind::data, "\\{} is missing", end);
  return node(Kind::function, std::string(function), std::move(inner));
}

/// What \frac and \sqrt apply to: a group, or what follows; of a bare number \frac takes one digit.
Expression Parser::argument(bool one_digit) {
  if (!split_.empty()) return leaf(Kind::number, std::exchange(split_, ""));
  if (now().is("{")) return braced();
  if (now().kind == Token::Kind::number) {
    std::string digits = tokens_[at_++].text;
    if (one_digit && digits.size() > 1) {
      split_ = digits.substr(1);
      digits.resize(1);
    }
    return leaf(Kind::number, digits);
  }
  return primary();
}

Expression Parser::fraction() {
  Expression top = argument(true);
  Expression bottom = argument(true);
  if (!split_.empty()) fail(ErrorKind::data, "\\frac needs braces here");
  return node(Kind::quotient, "frac", std::move(top), std::move(bottom));
}

Expression Parser::root() {
  Expression degree = leaf(Kind::number, "2");
  if (take("[")) {
    degree = sum();
    expect("]");
  }
  Expression inner = argument(false);
  return node(Kind::root, "", std::move(inner), std::move(degree));
}

Expression Parser::function_argument() {
  if (now().is("(") || now().is("[") || now().is("{") || now().is("|")) return primary();
  Expression argument = now().is("-") ? signed_power() : power();
  while (begins_factor() && !(now().kind == Token::Kind::command && is_function(now().text))) {
    argument = node(Kind::product, "", std::move(argument), power());
  }
  return argument;
}

Expression Parser::function(std::string name) {
  std::vector<Expression> parts(1);
  if (now().is("_")) {
    ++at_;
    Expression base = argument(false);
    if (name != "log") fail(ErrorKind::data, "\\{} has no base", name);
    parts.push_back(std::move(base));
  }
  Expression power_of;
  const bool has_power = take("^");
  if (has_power) power_of = exponent();
  if (now().is("\\{")) {
    Expression arguments = set();
    parts[0] = arguments.parts.size() == 1 ? arguments.parts[0] : std::move(arguments);
  } else {
    parts[0] = function_argument();
  }
  if (parts[0].is(Kind::list)) parts = std::vector<Expression>(parts[0].parts);
  const bool inverse = has_power && power_of.is(Kind::negation) && power_of.parts[0].text == "1";
  if (inverse) return node(Kind::function, "arc" + name, std::move(parts));
  Expression value = node(contains(opaque, name) ? Kind::call : Kind::function, std::move(name), std::move(parts));
  return has_power ? node(Kind::power, "", std::move(value), std::move(power_of)) : value;
}

Expression Parser::matrix(const std::string& environment) {
  if (environment.find("matrix") == std::string::npos && environment != "array") {
    fail(ErrorKind::data, "the environment {} is not computed", environment);
  }
  if (environment == "array" && now().is("{")) {
    while (!take("}")) {
      if (now().kind == Token::Kind::end) fail(ErrorKind::data, "braces are not closed");
      ++at_;
    }
  }
  std::vector<Expression> rows;
  std::vector<Expression> cells;
  while (true) {
    if (!now().is_command("end:" + environment)) cells.push_back(relation());
    if (take("&")) continue;
    const bool more = take_command("cr");
    if (!cells.empty()) rows.push_back(node(Kind::list, "()", std::exchange(cells, {})));
    if (more) continue;
    if (!take_command("end:" + environment)) fail(ErrorKind::data, "\\end{{{}}} is missing", environment);
    return node(Kind::list, "matrix", std::move(rows));
  }
}

Expression Parser::primary_of_command() {
  const std::string name = tokens_[at_++].text;
  if (name == "frac") return fraction();
  if (name == "sqrt") return root();
  if (name == "pi") return leaf(Kind::constant, "pi");
  if (name == "infty") return leaf(Kind::constant, "infinity");
  if (name == "emptyset" || name == "varnothing") return node(Kind::list, "{}", std::vector<Expression>());
  if (name == "lfloor") return between("floor", "rfloor");
  if (name == "lceil") return between("ceil", "rceil");
  if (name == "binom") {
    Expression top = argument(true);
    return node(Kind::function, "binom", std::move(top), argument(true));
  }
  if (name == "langle") {
    Expression inner = items();
    if (!take_command("rangle")) fail(ErrorKind::data, "\\rangle is missing");
    return inner.is_list("") ? node(Kind::list, "()", std::move(inner.parts))
                             : node(Kind::call, "angle", std::move(inner));
  }
  if (name.starts_with("begin:")) return matrix(name.substr(6));
  if (is_function(name) || contains(opaque, name)) return function(name);
  if (!is_letter_command(name)) fail(ErrorKind::data, "\\{} is not computed", name);
  const std::string text = "\\" + name + subscript();
  return leaf(Kind::symbol, text);
}

}  // namespace hone::math
