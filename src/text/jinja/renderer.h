#pragma once

#include "text/jinja/ast.h"
#include "text/jinja/call.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

/// Walks over a program once and collects what it prints.
class Renderer {
 public:
  Renderer(Runtime& runtime, const Program& program);

  /// A variable that the template sees; before render().
  void set_input(std::string_view name, Value value);
  TextBuilder& render();

 private:
  enum class Flow { next, leave_loop, next_item };

  // Statements.
  Flow run(const Body& body);
  Flow run(const Stmt& stmt);
  Flow run_if(const Stmt& stmt);
  void run_for(const Stmt& stmt, Value iterable, Scope* around, std::int64_t depth0);
  std::span<const Value> chosen_items(const Stmt& stmt, std::span<const Value> items, Scope* around);
  bool passes_test(const Stmt& stmt, Value item, Scope* around);
  void run_set(const Stmt& stmt);
  void run_set_block(const Stmt& stmt);
  void run_filter_block(const Stmt& stmt);
  void run_call_block(const Stmt& stmt);
  void run_with(const Stmt& stmt);
  void run_generation(const Stmt& stmt);
  /// The text that `body` prints, in a scope of its own.
  const Str* capture(const Body& body);

  // Variables.
  Scope* new_scope(Scope* parent);
  void set(Scope& scope, int symbol, Value value);
  Value lookup(int symbol);
  void assign(const Target& target, Value value);
  void check_namespaces(const Target& target);
  void assign_attribute(const Target& target, Value value);

  // Expressions.
  Value eval(const Expr& expr);
  Value eval_optional(const ExprPtr& expr) { return expr == nullptr ? Value::none() : eval(*expr); }
  Value eval_item(const Expr& expr);
  Value eval_concat(const Expr& expr);
  Value eval_compare(const Expr& expr);
  Value eval_items(const Expr& expr, Kind kind);
  Value eval_dict(const Expr& expr);
  Value eval_conditional(const Expr& expr);
  Value eval_filter(const Expr& expr, Value input);
  /// The filters of a block, which have `text` as the input of the first.
  Value eval_block_filters(const Expr& expr, Value text);
  Value eval_test(const Expr& expr);
  Value eval_call(const Expr& expr, const Value* caller);
  Arguments eval_arguments(const CallArguments& arguments, const Value* caller);
  void add_keywords(Value mapping, std::vector<Named>& named);

  Value call(Value callee, const Arguments& arguments);
  Value call_macro(const Macro& macro, const Arguments& arguments);
  void bind_parameters(const MacroDefinition& definition, const Arguments& arguments, Scope& scope);
  void bind_rest(const MacroDefinition& definition, const Arguments& arguments, std::vector<bool>& used,
                 Scope& scope);
  Value call_loop(const Loop& loop, const Arguments& arguments);

  Runtime& runtime_;
  const Program& program_;
  TextBuilder root_;
  TextBuilder* out_ = &root_;
  Scope* inputs_;
  Scope* scope_;
};

}  // namespace hone::jinja
