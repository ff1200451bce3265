#include "text/jinja/parser.h"

#include <algorithm>
#include <initializer_list>

#include "base/utf8.h"
#include "text/jinja/check.h"
#include "text/jinja/expression_parser.h"

namespace hone::jinja {

namespace {

using StmtPtr = std::unique_ptr<Stmt>;

class StatementParser : public ExpressionParser {
 public:
  StatementParser(std::vector<Token> tokens, std::string_view where, const Limits& limits, Program& program)
      : ExpressionParser(std::move(tokens), where, limits, program) {}

  void all() { program_.body = statements({}); }

 private:
  using Words = std::initializer_list<std::string_view>;

  StmtPtr stmt(StmtKind kind) const {
    auto made = std::make_unique<Stmt>();
    made->kind = kind;
    made->line = current().line;
    return made;
  }

  /// Statements up to a tag that begins with one of `ends`, whose word becomes the current token.
  Body statements(Words ends) {
    const Level level(*this);
    Body body;
    for (;;) {
      const Token token = current();
      if (token.kind == TokenKind::data) {
        body.push_back(stmt(StmtKind::data));
        body.back()->text = program_.constants.add(take().text);
      } else if (token.kind == TokenKind::variable_begin) {
        take();
        body.push_back(stmt(StmtKind::output));
        body.back()->exprs.push_back(tuple());
        if (current().kind != TokenKind::variable_end) unexpected("'}}'");
        take();
      } else if (token.kind == TokenKind::block_begin) {
        take();
        if (std::ranges::any_of(ends, [&](std::string_view word) { return current().is_name(word); })) return body;
        open_.push_back(ends);
        body.push_back(statement());
        open_.pop_back();
        end_tag();
      } else {
        if (ends.size() > 0) fail(token.line, "the template ends where {{% {} %}} was expected", *(ends.end() - 1));
        return body;
      }
    }
  }

  void end_tag() {
    if (current().kind != TokenKind::block_end) unexpected("'%}'");
    take();
  }

  /// The body of a block: the rest of its tag, statements, and the word of the tag that ends it.
  Body block(Words ends) {
    skip_op(":");
    end_tag();
    return statements(ends);
  }

  StmtPtr statement() {
    const Token token = current();
    if (token.kind != TokenKind::name) unexpected("the name of a tag");
    if (token.text == "if") return if_statement();
    if (token.text == "for") return for_statement();
    if (token.text == "set") return set_statement();
    if (token.text == "macro") return macro_statement();
    if (token.text == "call") return call_block();
    if (token.text == "filter") return filter_block();
    if (token.text == "with") return with_statement();
    if (token.text == "print") return print_statement();
    if (token.text == "generation") return generation_block();
    if (token.text == "break" || token.text == "continue") return leave_loop();
    for (const std::string_view refused : {"include", "import", "from", "extends", "block", "autoescape"}) {
      if (token.text == refused) {
        fail(token.line, "{{% {} %}} is not supported: a chat template is one text without parents or parts", refused);
      }
    }
    if (!open_.empty() && open_.back().size() > 0) {
      fail(token.line, "unknown tag '{}' where {{% {} %}} is still missing", token.text, *(open_.back().end() - 1));
    }
    fail(token.line, "unknown tag '{}'", token.text);
  }

  StmtPtr if_statement() {
    StmtPtr made = stmt(StmtKind::if_);
    for (bool more = true; more;) {
      take();
      Branch branch;
      branch.test = tuple(false);
      branch.body = block({"elif", "else", "endif"});
      made->branches.push_back(std::move(branch));
      more = current().is_name("elif");
    }
    if (take().text == "else") {
      made->else_body = block({"endif"});
      take();
    }
    return made;
  }

  StmtPtr for_statement() {
    StmtPtr made = stmt(StmtKind::for_);
    take();
    made->target = assign_target("in", false);
    refuse_loop_target(made->target);
    if (!skip_name("in")) unexpected("'in'");
    made->expr = tuple(false, "recursive");
    if (skip_name("if")) made->test = expression();
    made->recursive = skip_name("recursive");
    ++loops_;
    fors_.push_back(made.get());
    made->body = block({"else", "endfor"});
    fors_.pop_back();
    --loops_;
    if (take().text == "else") {
      made->else_body = block({"endfor"});
      take();
    }
    return made;
  }

  void refuse_loop_target(const Target& target) const {
    if (target.symbol == Symbols::loop && target.attribute == nullptr) {
      fail(current().line, "'loop' is the loop itself and cannot be assigned to");
    }
    for (const Target& part : target.several) refuse_loop_target(part);
  }

  StmtPtr set_statement() {
    StmtPtr made = stmt(StmtKind::set);
    take();
    made->target = assign_target({}, true);
    if (loops_ > 0) refuse_loop_target(made->target);
    if (skip_op("=")) {
      made->expr = tuple();
      return made;
    }
    made->kind = StmtKind::set_block;
    made->expr = filters(nullptr, false);
    made->body = block({"endset"});
    take();
    return made;
  }

  void signature(MacroDefinition& macro) {
    expect_op("(");
    while (!current().is_op(")")) {
      if (!macro.parameters.empty()) expect_op(",");
      const int line = current().line;
      const std::string name = expect_name("the name of a parameter");
      const int symbol = program_.symbols.of(name);
      for (const auto& other : macro.parameters) {
        if (other.symbol == symbol) fail(line, "the parameter '{}' is declared twice", name);
      }
      ExprPtr fallback;
      if (skip_op("=")) fallback = expression();
      else if (!macro.parameters.empty() && macro.parameters.back().fallback != nullptr) {
        fail(line, "the parameter '{}' without a default follows one with a default", name);
      }
      macro.parameters.push_back({symbol, program_.constants.add(name), std::move(fallback)});
    }
    expect_op(")");
  }

  void macro_body(MacroDefinition& macro, Words ends) {
    const int loops = std::exchange(loops_, 0);
    macros_.push_back(&macro);
    macro.body = block(ends);
    macros_.pop_back();
    take();
    loops_ = loops;
    for (const auto& parameter : macro.parameters) {
      if (parameter.symbol == Symbols::caller && macro.uses_caller) {
        if (parameter.fallback == nullptr) fail(current().line, "the parameter 'caller' of a macro needs a default");
        macro.uses_caller = false;
      }
      if (parameter.symbol == Symbols::varargs) macro.uses_varargs = false;
      if (parameter.symbol == Symbols::kwargs) macro.uses_kwargs = false;
    }
  }

  StmtPtr macro_statement() {
    StmtPtr made = stmt(StmtKind::macro);
    take();
    const std::string name = expect_name("the name of the macro");
    made->symbol = program_.symbols.of(name);
    made->macro.name = program_.constants.add(name);
    signature(made->macro);
    macro_body(made->macro, {"endmacro"});
    return made;
  }

  StmtPtr call_block() {
    StmtPtr made = stmt(StmtKind::call_block);
    take();
    if (current().is_op("(")) signature(made->macro);
    made->expr = expression();
    if (made->expr->kind != ExprKind::call) fail(made->line, "{{% call %}} needs the call of a macro");
    macro_body(made->macro, {"endcall"});
    return made;
  }

  StmtPtr filter_block() {
    StmtPtr made = stmt(StmtKind::filter_block);
    take();
    made->expr = filters(nullptr, true);
    made->body = block({"endfilter"});
    take();
    return made;
  }

  StmtPtr with_statement() {
    StmtPtr made = stmt(StmtKind::with);
    take();
    while (current().kind != TokenKind::block_end && !current().is_op(":")) {
      if (!made->targets.empty()) expect_op(",");
      made->targets.push_back(assign_target({}, false));
      expect_op("=");
      made->exprs.push_back(expression());
    }
    made->body = block({"endwith"});
    take();
    return made;
  }

  StmtPtr print_statement() {
    StmtPtr made = stmt(StmtKind::output);
    take();
    while (current().kind != TokenKind::block_end) {
      if (!made->exprs.empty()) expect_op(",");
      made->exprs.push_back(expression());
    }
    return made;
  }

  StmtPtr generation_block() {
    StmtPtr made = stmt(StmtKind::generation);
    program_.marks_generation = true;
    take();
    const int loops = std::exchange(loops_, 0);
    made->body = block({"endgeneration"});
    loops_ = loops;
    take();
    return made;
  }

  StmtPtr leave_loop() {
    StmtPtr made = stmt(current().text == "break" ? StmtKind::break_ : StmtKind::continue_);
    if (loops_ == 0) fail(made->line, "'{}' stands outside of a loop", current().text);
    take();
    return made;
  }

  int loops_ = 0;           ///< around this place, within the same macro
  std::vector<Words> open_;  ///< the ends that each open block waits for
};

}  // namespace

std::shared_ptr<const Program> parse(std::string_view source, std::string_view where, const Limits& limits) {
  if (source.size() > limits.source_bytes) {
    hone::fail(ErrorKind::data, "{}: the template has {} bytes; the limit is {}", where, source.size(),
               limits.source_bytes);
  }
  if (const std::size_t broken = first_invalid_utf8(source); broken != std::string_view::npos) {
    hone::fail(ErrorKind::data, "{}: the template is not UTF-8 at byte {}", where, broken);
  }
  auto program = std::make_shared<Program>();
  StatementParser(tokenize(source, where), where, limits, *program).all();
  check_names(program->body, where);
  return program;
}

}  // namespace hone::jinja
