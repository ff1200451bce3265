#include "text/jinja/check.h"

#include "base/error.h"

namespace hone::jinja {

namespace {

class Checker {
 public:
  explicit Checker(std::string_view where) : where_(where) {}

  void body(const Body& statements, bool lenient) const {
    for (const auto& stmt : statements) statement(*stmt, lenient);
  }

 private:
  void statement(const Stmt& stmt, bool lenient) const {
    const bool is_if = stmt.kind == StmtKind::if_;
    const bool inside = is_if || (lenient && stmt.kind == StmtKind::output);
    expression(stmt.expr.get(), lenient);
    expression(stmt.test.get(), false);
    for (const ExprPtr& expr : stmt.exprs) expression(expr.get(), lenient);
    for (const Branch& branch : stmt.branches) {
      expression(branch.test.get(), true);
      body(branch.body, true);
    }
    for (const auto& parameter : stmt.macro.parameters) expression(parameter.fallback.get(), false);
    body(stmt.body, inside);
    body(stmt.else_body, inside);
    body(stmt.macro.body, false);
  }

  void expression(const Expr* expr, bool lenient) const {
    if (expr == nullptr) return;
    if (expr->kind == ExprKind::conditional) lenient = true;
    if (!lenient && expr->kind == ExprKind::filter && expr->filter == nullptr) {
      fail_unknown_filter(where_, expr->line, expr->text->view());
    }
    if (!lenient && expr->kind == ExprKind::test && expr->test == nullptr) {
      fail_unknown_test(where_, expr->line, expr->text->view());
    }
    for (const ExprPtr* part : {&expr->a, &expr->b, &expr->c, &expr->arguments.star, &expr->arguments.star_star}) {
      expression(part->get(), lenient);
    }
    for (const ExprPtr& item : expr->items) expression(item.get(), lenient);
    for (const ExprPtr& item : expr->arguments.positional) expression(item.get(), lenient);
    for (const auto& [name, item] : expr->arguments.named) expression(item.get(), lenient);
  }

  std::string_view where_;
};

}  // namespace

void check_names(const Body& body, std::string_view where) { Checker(where).body(body, false); }

void fail_unknown_filter(std::string_view where, int line, std::string_view name) {
  const std::string_view why = why_no_filter(name);
  if (!why.empty()) hone::fail(ErrorKind::data, "{}: line {}: the filter '{}' is not supported: {}", where, line, name, why);
  hone::fail(ErrorKind::data, "{}: line {}: there is no filter '{}'", where, line, name);
}

void fail_unknown_test(std::string_view where, int line, std::string_view name) {
  hone::fail(ErrorKind::data, "{}: line {}: there is no test '{}'", where, line, name);
}

}  // namespace hone::jinja
