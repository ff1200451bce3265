#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"
#include "text/jinja/limits.h"

namespace hone::jinja {

/// The tokens of a template and the grammar of its expressions.
class ExpressionParser {
 protected:
  ExpressionParser(std::vector<Token> tokens, std::string_view where, const Limits& limits, Program& program)
      : program_(program), tokens_(std::move(tokens)), where_(where), limits_(limits) {}

  template <class... Args>
  [[noreturn]] void fail(int line, fmt::format_string<Args...> format, Args&&... args) const {
    hone::fail(ErrorKind::data, "{}: line {}: {}", where_, line, fmt::format(format, std::forward<Args>(args)...));
  }

  const Token& current() const { return tokens_[at_]; }
  const Token& following() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool skip_op(std::string_view spelling);
  bool skip_name(std::string_view word);
  void expect_op(std::string_view spelling);
  std::string expect_name(std::string_view what);
  [[noreturn]] void unexpected(std::string_view expected) const;

  ExprPtr expression(bool with_conditional = true);
  /// One expression, or several with commas: a tuple. `end_word` also ends it.
  ExprPtr tuple(bool with_conditional = true, std::string_view end_word = {}, bool in_brackets = false);
  Target assign_target(std::string_view end_word, bool with_attributes);
  /// The filters after an expression; `starts_with_name` in filter blocks, where no | stands before the first.
  ExprPtr filters(ExprPtr input, bool starts_with_name);
  CallArguments call_arguments();
  ExprPtr make(ExprKind kind, int line) const;

  /// One level of nesting in the text while it lives.
  class Level {
   public:
    explicit Level(ExpressionParser& parser) : parser_(parser) { parser.enter(); }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    ExpressionParser& parser_;
  };

  Program& program_;
  std::vector<MacroDefinition*> macros_;  ///< those whose body is being parsed
  std::vector<Stmt*> fors_;               ///< likewise for statements

 private:
  void enter();
  ExprPtr grown(ExprPtr expr) const;
  ExprPtr join(ExprKind kind, ExprPtr a, ExprPtr b, int line) const;
  ExprPtr binary(Op op, ExprPtr a, ExprPtr b, int line) const;
  ExprPtr conditional();
  ExprPtr or_expression();
  ExprPtr and_expression();
  ExprPtr not_expression();
  ExprPtr compare();
  ExprPtr sum();
  ExprPtr concat();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filters);
  ExprPtr primary();
  ExprPtr name_or_constant();
  ExprPtr string_constant();
  ExprPtr integer_constant();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr expr);
  ExprPtr filters_tests_calls(ExprPtr expr);
  ExprPtr subscript(ExprPtr owner);
  ExprPtr subscribed();
  ExprPtr call(ExprPtr callee);
  ExprPtr test(ExprPtr input);
  Target target_primary(bool with_attributes);
  void note_name(int symbol);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::string_view where_;
  const Limits& limits_;
  int depth_ = 0;
};

}  // namespace hone::jinja
