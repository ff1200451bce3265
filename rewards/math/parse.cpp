#include "rewards/math/parse.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "rewards/math/parser.h"

namespace hone::math {

namespace {

using Kind = Expression::Kind;

constexpr std::pair<std::string_view, char> relation_commands[] = {
    {"le", 'l'},       {"leq", 'l'},    {"leqslant", 'l'}, {"ge", 'g'},     {"geq", 'g'},        {"geqslant", 'g'},
    {"lt", '<'},       {"gt", '>'},     {"ne", '#'},       {"neq", '#'},    {"in", 'e'},         {"equiv", '~'},
    {"approx", '~'},   {"cong", '~'},   {"sim", '~'},      {"simeq", '~'},  {"subset", '~'},     {"subseteq", '~'},
    {"to", '~'},       {"mapsto", '~'}, {"mid", '~'},      {"propto", '~'}, {"rightarrow", '~'}, {"perp", '~'},
    {"parallel", '~'}, {"notin", '~'},  {"implies", '~'},  {"iff", '~'}};

}  // namespace

void Parser::descend() {
  if (++depth_ > most_depth) fail(ErrorKind::data, "brackets nest deeper than {}", most_depth);
}

bool Parser::take(std::string_view sign) {
  if (!now().is(sign)) return false;
  ++at_;
  return true;
}

bool Parser::take_command(std::string_view name) {
  if (!now().is_command(name)) return false;
  ++at_;
  return true;
}

void Parser::expect(std::string_view sign) {
  if (!take(sign)) fail(ErrorKind::data, "expected {}, got {}", sign, now().text);
}

Expression Parser::answer() {
  Expression all = items();
  if (now().kind != Token::Kind::end) fail(ErrorKind::data, "cannot read what begins with {}", now().text);
  return all;
}

Expression Parser::items() {
  std::vector<Expression> parts;
  do {
    parts.push_back(ratio());
    if (now().is(",")) {
      // "a, b, and c" leaves two commas
      while (now().is(",") && tokens_[at_ + 1].is(",")) ++at_;
    }
  } while (take(",") || take(";"));
  return parts.size() == 1 ? std::move(parts[0]) : node(Kind::list, "", std::move(parts));
}

Expression Parser::ratio() {
  std::vector<Expression> parts;
  do parts.push_back(relation());
  while (take(":"));
  if (parts.size() == 1) return std::move(parts[0]);
  if (parts.size() == 2) return node(Kind::quotient, "", std::move(parts));
  return node(Kind::list, "::", std::move(parts));
}

/// The relation sign here, or '\0'. Takes it.
char Parser::relation_sign() {
  if (take("=")) {
    take("=");
    return '=';
  }
  if (take("<")) return take("=") ? 'l' : '<';
  if (take(">")) return take("=") ? 'g' : '>';
  if (now().is("!") && tokens_[at_ + 1].is("=")) {
    at_ += 2;
    return '#';
  }
  for (const auto& [name, sign] : relation_commands) {
    if (take_command(name)) return sign;
  }
  return '\0';
}

Expression Parser::relation() {
  Expression first = united();
  char sign = relation_sign();
  if (sign == '\0') return first;
  Expression made = node(Kind::relation, "", std::move(first));
  for (; sign != '\0'; sign = relation_sign()) {
    made.text += sign;
    made.parts.push_back(united());
  }
  return made;
}

Expression Parser::united() {
  std::vector<Expression> parts;
  do parts.push_back(sum());
  while (take_command("cup"));
  return parts.size() == 1 ? std::move(parts[0]) : node(Kind::set_union, "", std::move(parts));
}

/// +1 or −1 for a sign that adds, 0 for none. ± and ∓ have the sign of the reading. Takes it.
int Parser::adding_sign() {
  if (take("+")) {
    if (!take("/")) return 1;
    expect("-");  // "+/-"
    return both_ = true, upper_ ? 1 : -1;
  }
  if (take("-")) return -1;
  if (take_command("pm")) return both_ = true, upper_ ? 1 : -1;
  if (take_command("mp")) return both_ = true, upper_ ? -1 : 1;
  return 0;
}

Expression Parser::sum() {
  std::vector<Expression> parts;
  int sign = adding_sign();
  do {
    Expression part = product();
    parts.push_back(sign < 0 ? node(Kind::negation, "", std::move(part)) : std::move(part));
    sign = adding_sign();
  } while (sign != 0);
  return parts.size() == 1 ? std::move(parts[0]) : node(Kind::sum, "", std::move(parts));
}

bool Parser::begins_factor() const {
  const Token& token = now();
  switch (token.kind) {
    case Token::Kind::letter:
    case Token::Kind::word:
    case Token::Kind::text: return true;
    case Token::Kind::number: return at_ == 0 || tokens_[at_ - 1].kind != Token::Kind::number;
    case Token::Kind::sign: return token.is("(") || token.is("[") || token.is("{") || (token.is("|") && bars_ == 0);
    case Token::Kind::command: return begins_primary(token.text);
    case Token::Kind::end: return false;
  }
  return false;
}

namespace {

bool whole(const Expression& e) { return e.is(Kind::number) && e.text.find_first_of(".e") == std::string::npos; }

/// 2\frac{1}{2} is a mixed number, 2\frac{7}{2} and 2\frac{x}{2} are products.
bool mixed(const Expression& left, const Expression& right) {
  return whole(left) && !left.grouped && right.is(Kind::quotient) && right.text == "frac" && whole(right.parts[0]) &&
         whole(right.parts[1]) &&
         (right.parts[0].text.size() < right.parts[1].text.size() ||
          (right.parts[0].text.size() == right.parts[1].text.size() && right.parts[0].text < right.parts[1].text));
}

}  // namespace

Expression Parser::product() {
  Expression left = signed_power();
  bool first = true;
  while (true) {
    if (take("*") || take_command("cdot") || take_command("times") || take_command("ast")) {
      left = node(Kind::product, "", std::move(left), signed_power());
    } else if (take("/") || take_command("div")) {
      left = node(Kind::quotient, "", std::move(left), signed_power());
    } else if (begins_factor()) {
      Expression right = power();
      const bool is_mixed = first && mixed(left, right);
      left = node(is_mixed ? Kind::sum : Kind::product, "", std::move(left), std::move(right));
    } else {
      return left;
    }
    first = false;
  }
}

Expression Parser::signed_power() {
  descend();
  Expression result;
  if (take("-")) {
    result = node(Kind::negation, "", signed_power());
  } else {
    take("+");
    result = power();
  }
  --depth_;
  return result;
}

Expression Parser::power() {
  Expression base = primary();
  while (true) {
    if (now().is("!") && !tokens_[at_ + 1].is("=")) {
      ++at_;
      base = node(Kind::function, "factorial", std::move(base));
    } else if (take("%")) {
      base = node(Kind::quotient, "", std::move(base), leaf(Kind::number, "100"));
    } else if (take_command("degree")) {
      base = node(Kind::function, "degree", std::move(base));
    } else {
      break;
    }
  }
  if (!take("^")) return base;
  base = node(Kind::power, "", std::move(base), exponent());
  if (now().is("!")) fail(ErrorKind::data, "a factorial of a power needs brackets");
  return base;
}

Expression Parser::exponent() {
  descend();
  Expression result;
  if (take("-")) {
    result = node(Kind::negation, "", exponent());
  } else if (take("{")) {
    result = items();
    expect("}");
  } else {
    result = power();  // x^y^z is x^(y^z)
  }
  --depth_;
  return result;
}

Expression parsed(const std::vector<Token>& tokens) {
  Parser upper(tokens, true);
  Expression plus = upper.answer();
  if (!upper.both()) return plus;
  Expression minus = Parser(tokens, false).answer();
  return node(Kind::list, "", std::move(plus), std::move(minus));
}

}  // namespace hone::math
