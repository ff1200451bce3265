#include "text/jinja/renderer.h"

#include <algorithm>

#include "text/jinja/print.h"

namespace hone::jinja {

Renderer::Renderer(Runtime& runtime, const Program& program)
    : runtime_(runtime), program_(program), root_(runtime), inputs_(new_scope(nullptr)), scope_(new_scope(inputs_)) {}

void Renderer::set_input(std::string_view name, Value value) {
  const int symbol = program_.symbols.find(name);
  if (symbol >= 0) set(*inputs_, symbol, value);
}

TextBuilder& Renderer::render() {
  run(program_.body);
  return root_;
}

Scope* Renderer::new_scope(Scope* parent) { return runtime_.make<Scope>(parent); }

void Renderer::set(Scope& scope, int symbol, Value value) {
  for (std::uint32_t i = 0; i < scope.size; ++i) {
    if (scope.variables[i].symbol != symbol) continue;
    scope.variables[i].value = value;
    return;
  }
  if (scope.size == scope.capacity) {
    const std::uint32_t capacity = scope.capacity == 0 ? 4 : scope.capacity * 2;
    Variable* variables = runtime_.array<Variable>(capacity);
    std::copy_n(scope.variables, scope.size, variables);
    scope.variables = variables;
    scope.capacity = capacity;
  }
  scope.variables[scope.size++] = {symbol, value};
}

Value Renderer::lookup(int symbol) {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    for (std::uint32_t i = 0; i < scope->size; ++i) {
      if (scope->variables[i].symbol == symbol) return scope->variables[i].value;
    }
  }
  const std::string& name = program_.symbols.name(symbol);
  if (const Global* global = find_global(name); global != nullptr) {
    Value value;
    value.kind = Kind::function;
    value.function = global;
    return value;
  }
  return undefined_named(runtime_, name);
}

Renderer::Flow Renderer::run(const Body& body) {
  const Nested level(runtime_);
  for (const auto& stmt : body) {
    if (const Flow flow = run(*stmt); flow != Flow::next) return flow;
  }
  return Flow::next;
}

Renderer::Flow Renderer::run(const Stmt& stmt) {
  runtime_.line = stmt.line;
  runtime_.spend(1);
  switch (stmt.kind) {
    case StmtKind::data: out_->append(stmt.text->view()); break;
    case StmtKind::output:
      for (const ExprPtr& expr : stmt.exprs) append_str(runtime_, *out_, eval(*expr));
      break;
    case StmtKind::if_: return run_if(stmt);
    case StmtKind::for_: run_for(stmt, eval(*stmt.expr), scope_, 0); break;
    case StmtKind::set: run_set(stmt); break;
    case StmtKind::set_block: run_set_block(stmt); break;
    case StmtKind::macro: {
      Value value;
      value.kind = Kind::macro;
      value.macro = runtime_.make<Macro>(&stmt.macro, scope_);
      set(*scope_, stmt.symbol, value);
      break;
    }
    case StmtKind::call_block: run_call_block(stmt); break;
    case StmtKind::filter_block: run_filter_block(stmt); break;
    case StmtKind::with: run_with(stmt); break;
    case StmtKind::generation: run_generation(stmt); break;
    case StmtKind::break_: return Flow::leave_loop;
    case StmtKind::continue_: return Flow::next_item;
  }
  return Flow::next;
}

Renderer::Flow Renderer::run_if(const Stmt& stmt) {
  for (const Branch& branch : stmt.branches) {
    if (truth(eval(*branch.test))) return run(branch.body);
  }
  return run(stmt.else_body);
}

bool Renderer::passes_test(const Stmt& stmt, Value item, Scope* around) {
  Scope* const before = std::exchange(scope_, new_scope(around));
  assign(stmt.target, item);
  const bool passes = truth(eval(*stmt.test));
  scope_ = before;
  return passes;
}

std::span<const Value> Renderer::chosen_items(const Stmt& stmt, std::span<const Value> items, Scope* around) {
  Value* chosen = runtime_.array<Value>(items.size());
  std::size_t count = 0;
  for (const Value item : items) {
    if (passes_test(stmt, item, around)) chosen[count++] = item;
  }
  return {chosen, count};
}

/// The test of a loop that does not name `loop` runs between the items, as it may look at what the body changed.
void Renderer::run_for(const Stmt& stmt, Value iterable, Scope* around, std::int64_t depth0) {
  std::span<const Value> items = iterate(runtime_, iterable);
  const bool tests_first = stmt.test != nullptr && (stmt.uses_loop || stmt.recursive);
  if (tests_first) items = chosen_items(stmt, items, around);
  Loop* loop = runtime_.make<Loop>(items.data(), static_cast<std::int64_t>(items.size()), std::int64_t{0}, depth0,
                                   Value{}, stmt.recursive ? &stmt : nullptr, around);
  Value loop_value;
  loop_value.kind = Kind::loop;
  loop_value.loop = loop;
  Scope* const before = std::exchange(scope_, new_scope(around));
  Scope* const own = scope_;
  bool completed = false;  // a body left by break or continue does not count: Jinja2 runs `else` then, too
  for (; loop->index0 < loop->size; ++loop->index0) {
    const Value item = items[static_cast<std::size_t>(loop->index0)];
    if (stmt.test != nullptr && !tests_first && !passes_test(stmt, item, around)) continue;
    own->size = 0;
    if (stmt.uses_loop || stmt.recursive) set(*own, Symbols::loop, loop_value);
    assign(stmt.target, item);
    const Flow flow = run(stmt.body);
    if (flow == Flow::leave_loop) break;
    if (flow == Flow::next) completed = true;
    runtime_.spend(1);
  }
  if (!completed && !stmt.else_body.empty()) {
    scope_ = new_scope(around);
    run(stmt.else_body);
  }
  scope_ = before;
}

const Str* Renderer::capture(const Body& body) {
  TextBuilder captured(runtime_);
  TextBuilder* const before = std::exchange(out_, &captured);
  Scope* const outer = std::exchange(scope_, new_scope(scope_));
  run(body);
  scope_ = outer;
  out_ = before;
  return captured.finish();
}

void Renderer::run_set(const Stmt& stmt) {
  check_namespaces(stmt.target);
  assign(stmt.target, eval(*stmt.expr));
}

void Renderer::run_set_block(const Stmt& stmt) {
  Value value = Value::of(capture(stmt.body));
  if (stmt.expr != nullptr) value = eval_block_filters(*stmt.expr, value);
  check_namespaces(stmt.target);
  assign(stmt.target, value);
}

void Renderer::run_filter_block(const Stmt& stmt) {
  const Value text = Value::of(capture(stmt.body));
  append_str(runtime_, *out_, eval_block_filters(*stmt.expr, text));
}

void Renderer::run_call_block(const Stmt& stmt) {
  Value caller;
  caller.kind = Kind::macro;
  caller.macro = runtime_.make<Macro>(&stmt.macro, scope_);
  append_str(runtime_, *out_, eval_call(*stmt.expr, &caller));
}

void Renderer::run_with(const Stmt& stmt) {
  std::vector<Value> values;
  for (const ExprPtr& expr : stmt.exprs) values.push_back(eval(*expr));
  Scope* const before = std::exchange(scope_, new_scope(scope_));
  for (std::size_t i = 0; i < values.size(); ++i) assign(stmt.targets[i], values[i]);
  run(stmt.body);
  scope_ = before;
}

void Renderer::run_generation(const Stmt& stmt) {
  const std::size_t begin = out_->size();
  Scope* const before = std::exchange(scope_, new_scope(scope_));
  run(stmt.body);
  scope_ = before;
  out_->add_flags(begin, generation);
}

void Renderer::assign(const Target& target, Value value) {
  if (target.attribute != nullptr) return assign_attribute(target, value);
  if (!target.is_tuple) return set(*scope_, target.symbol, value);
  if (value.is(Kind::undefined) && !target.several.empty()) fail_undefined(runtime_, value);
  const std::span<const Value> items = iterate(runtime_, value);
  if (items.size() != target.several.size()) {
    runtime_.fail("{} values cannot be unpacked into {} variables", items.size(), target.several.size());
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(target.several[i], items[i]);
}

void Renderer::check_namespaces(const Target& target) {
  if (target.attribute != nullptr && !lookup(target.symbol).is(Kind::name_space)) {
    runtime_.fail("cannot assign to an attribute of '{}', which is no namespace", program_.symbols.name(target.symbol));
  }
  for (const Target& part : target.several) check_namespaces(part);
}

void Renderer::assign_attribute(const Target& target, Value value) {
  NameSpace& space = *lookup(target.symbol).name_space;
  const Str* name = target.attribute;
  if (name->view().starts_with('_')) {
    runtime_.fail("attributes of a namespace cannot begin with '_', as '{}' does", name->view());
  }
  set_attribute(runtime_, space, name, value);
}

}  // namespace hone::jinja
