#include <algorithm>

#include "text/jinja/dict.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"

namespace hone::jinja {

Value Renderer::eval(const Expr& expr) {
  if (expr.kind == ExprKind::constant) return expr.value;
  const Nested level(runtime_);
  runtime_.line = expr.line;
  runtime_.spend(1);
  switch (expr.kind) {
    case ExprKind::name: return lookup(expr.symbol);
    case ExprKind::attribute: return get_attribute(runtime_, eval(*expr.a), expr.text);
    case ExprKind::item: return eval_item(expr);
    case ExprKind::call: return eval_call(expr, nullptr);
    case ExprKind::filter: return eval_filter(expr, eval(*expr.a));
    case ExprKind::test: return eval_test(expr);
    case ExprKind::negative: return negative(runtime_, eval(*expr.a));
    case ExprKind::positive: return positive(runtime_, eval(*expr.a));
    case ExprKind::not_: return Value::of(!truth(eval(*expr.a)));
    case ExprKind::and_: {
      const Value left = eval(*expr.a);
      return truth(left) ? eval(*expr.b) : left;
    }
    case ExprKind::or_: {
      const Value left = eval(*expr.a);
      return truth(left) ? left : eval(*expr.b);
    }
    case ExprKind::binary: {
      const Value left = eval(*expr.a);
      return arithmetic(runtime_, expr.op, left, eval(*expr.b));
    }
    case ExprKind::concat: return eval_concat(expr);
    case ExprKind::compare: return eval_compare(expr);
    case ExprKind::conditional: return eval_conditional(expr);
    case ExprKind::list: return eval_items(expr, Kind::list);
    case ExprKind::tuple: return eval_items(expr, Kind::tuple);
    case ExprKind::dict: return eval_dict(expr);
    case ExprKind::slice: break;
    case ExprKind::constant: return expr.value;
  }
  runtime_.fail("a slice stands where a value was expected");
}

Value Renderer::eval_item(const Expr& expr) {
  const Value object = eval(*expr.a);
  if (expr.b->kind != ExprKind::slice) return get_item(runtime_, object, eval(*expr.b));
  const Value start = eval_optional(expr.b->a);
  const Value stop = eval_optional(expr.b->b);
  return get_slice(runtime_, object, start, stop, eval_optional(expr.b->c));
}

Value Renderer::eval_concat(const Expr& expr) {
  TextBuilder out(runtime_);
  for (const ExprPtr& item : expr.items) append_str(runtime_, out, eval(*item));
  return Value::of(out.finish());
}

Value Renderer::eval_compare(const Expr& expr) {
  Value left = eval(*expr.a);
  for (std::size_t i = 0; i < expr.ops.size(); ++i) {
    const Value right = eval(*expr.items[i]);
    if (!compares(runtime_, expr.ops[i], left, right)) return Value::of(false);
    left = right;
  }
  return Value::of(true);
}

Value Renderer::eval_conditional(const Expr& expr) {
  if (truth(eval(*expr.b))) return eval(*expr.a);
  if (expr.c != nullptr) return eval(*expr.c);
  return undefined_hint("the condition of an inline if was false and it has no else", runtime_);
}

Value Renderer::eval_items(const Expr& expr, Kind kind) {
  Value* items = runtime_.array<Value>(expr.items.size());
  for (std::size_t i = 0; i < expr.items.size(); ++i) items[i] = eval(*expr.items[i]);
  return Value::of(kind, runtime_.make<Items>(items, expr.items.size()), false);
}

Value Renderer::eval_dict(const Expr& expr) {
  DictBuilder dict(runtime_);
  for (std::size_t i = 0; i < expr.items.size(); i += 2) {
    const Value key = eval(*expr.items[i]);
    dict.set(key, eval(*expr.items[i + 1]));
  }
  return dict.finish();
}

Value Renderer::eval_filter(const Expr& expr, Value input) {
  const Arguments arguments = eval_arguments(expr.arguments, nullptr);
  runtime_.line = expr.line;
  if (expr.filter == nullptr) {
    const std::string_view why = why_no_filter(expr.text->view());
    if (!why.empty()) runtime_.fail("the filter '{}' is not supported: {}", expr.text->view(), why);
    runtime_.fail("there is no filter '{}'", expr.text->view());
  }
  return expr.filter(runtime_, input, arguments);
}

Value Renderer::eval_block_filters(const Expr& expr, Value text) {
  return eval_filter(expr, expr.a == nullptr ? text : eval_block_filters(*expr.a, text));
}

Value Renderer::eval_test(const Expr& expr) {
  const Value input = eval(*expr.a);
  const Arguments arguments = eval_arguments(expr.arguments, nullptr);
  if (expr.test == nullptr) runtime_.fail("there is no test '{}'", expr.text->view());
  return Value::of(expr.test(runtime_, input, arguments));
}

Value Renderer::eval_call(const Expr& expr, const Value* caller) {
  const Value callee = eval(*expr.a);
  const Arguments arguments = eval_arguments(expr.arguments, caller);
  runtime_.line = expr.line;
  return call(callee, arguments);
}

Arguments Renderer::eval_arguments(const CallArguments& arguments, const Value* caller) {
  const std::size_t count = arguments.positional.size();
  Value* positional = runtime_.array<Value>(count);
  for (std::size_t i = 0; i < count; ++i) positional[i] = eval(*arguments.positional[i]);
  const std::size_t named_count = arguments.named.size() + (caller != nullptr ? 1 : 0);
  Named* named = runtime_.array<Named>(named_count);
  for (std::size_t i = 0; i < arguments.named.size(); ++i) {
    named[i] = {arguments.named[i].first, eval(*arguments.named[i].second)};
  }
  static constexpr Str caller_name{.data = "caller", .size = 6};
  if (caller != nullptr) named[named_count - 1] = {&caller_name, *caller};
  Arguments result{{positional, count}, {named, named_count}};
  if (arguments.star != nullptr) {
    std::vector<Value> all(positional, positional + count);
    const std::span<const Value> more = iterate(runtime_, eval(*arguments.star));
    all.insert(all.end(), more.begin(), more.end());
    result.positional = make_items(runtime_, Kind::tuple, all).items->span();
  }
  if (arguments.star_star != nullptr) {
    std::vector<Named> all(named, named + named_count);
    add_keywords(eval(*arguments.star_star), all);
    Named* copy = runtime_.array<Named>(all.size());
    std::copy(all.begin(), all.end(), copy);
    result.named = {copy, all.size()};
  }
  return result;
}

void Renderer::add_keywords(Value mapping, std::vector<Named>& named) {
  if (!mapping.is(Kind::dict)) runtime_.fail("** needs a dict, not a {}", type_name(mapping));
  for (std::size_t i = 0; i < mapping.dict->size; ++i) {
    const Value key = mapping.dict->keys[i];
    if (!key.is_string()) runtime_.fail("** needs a dict with names as keys, not a {}", type_name(key));
    for (const Named& other : named) {
      if (other.name->view() == key.text()) runtime_.fail("two values for the argument '{}'", key.text());
    }
    runtime_.spend(static_cast<std::int64_t>(named.size()));
    named.push_back({key.string, mapping.dict->values[i]});
  }
}

Value Renderer::call(Value callee, const Arguments& arguments) {
  switch (callee.kind) {
    case Kind::method:
      if (callee.method->call == nullptr) {
        runtime_.fail("{}.{}() is not supported", type_name(callee.method->self), callee.method->name);
      }
      return callee.method->call(runtime_, callee.method->self, arguments);
    case Kind::function: return callee.function->call(runtime_, arguments);
    case Kind::macro: return call_macro(*callee.macro, arguments);
    case Kind::loop: return call_loop(*callee.loop, arguments);
    case Kind::joiner: {
      static constexpr Str empty;
      return std::exchange(callee.joiner->used, true) ? callee.joiner->separator : Value::of(&empty);
    }
    case Kind::undefined: fail_undefined(runtime_, callee);
    default: runtime_.fail("a {} cannot be called", type_name(callee));
  }
}

Value Renderer::call_loop(const Loop& loop, const Arguments& arguments) {
  Parameters parameters(runtime_, "loop", arguments);
  const Value items = parameters.required("iterable");
  parameters.end();
  if (loop.recursive == nullptr) runtime_.fail("loop() needs a loop with 'recursive'");
  TextBuilder captured(runtime_);
  TextBuilder* const before = std::exchange(out_, &captured);
  run_for(*loop.recursive, items, loop.scope, loop.depth0 + 1);
  out_ = before;
  return Value::of(captured.finish());
}

Value Renderer::call_macro(const Macro& macro, const Arguments& arguments) {
  const Nested level(runtime_);
  Scope* const before = std::exchange(scope_, new_scope(macro.scope));
  bind_parameters(*macro.definition, arguments, *scope_);
  TextBuilder captured(runtime_);
  TextBuilder* const out = std::exchange(out_, &captured);
  run(macro.definition->body);
  out_ = out;
  scope_ = before;
  return Value::of(captured.finish());
}

void Renderer::bind_parameters(const MacroDefinition& definition, const Arguments& arguments, Scope& scope) {
  std::vector<bool> used(arguments.named.size(), false);
  for (std::size_t i = 0; i < definition.parameters.size(); ++i) {
    const auto& parameter = definition.parameters[i];
    if (i < arguments.positional.size()) {
      set(scope, parameter.symbol, arguments.positional[i]);
      continue;
    }
    const Value* value = arguments.find(parameter.name->view());
    if (value != nullptr) {
      for (std::size_t n = 0; n < used.size(); ++n) used[n] = used[n] || &arguments.named[n].value == value;
      set(scope, parameter.symbol, *value);
    } else if (parameter.fallback != nullptr) {
      set(scope, parameter.symbol, eval(*parameter.fallback));
    } else {
      set(scope, parameter.symbol,
          Value::of(runtime_.make<Undefined>(parameter.name, std::string_view{}, "a parameter was not provided")));
    }
  }
  bind_rest(definition, arguments, used, scope);
}

/// caller, kwargs and varargs, where the macro uses them.
void Renderer::bind_rest(const MacroDefinition& definition, const Arguments& arguments, std::vector<bool>& used,
                         Scope& scope) {
  const std::string_view name = definition.name == nullptr ? "caller" : definition.name->view();
  if (definition.uses_caller) {
    Value caller = undefined_hint("no caller was given to the macro: use {% call %}", runtime_);
    for (std::size_t n = 0; n < used.size(); ++n) {
      if (arguments.named[n].name->view() != "caller") continue;
      caller = arguments.named[n].value;
      used[n] = true;
    }
    set(scope, Symbols::caller, caller);
  }
  DictBuilder rest(runtime_);
  for (std::size_t n = 0; n < used.size(); ++n) {
    if (used[n]) continue;
    if (!definition.uses_kwargs) {
      runtime_.fail("the macro '{}' takes no argument '{}' here", name, arguments.named[n].name->view());
    }
    rest.set(Value::of(arguments.named[n].name), arguments.named[n].value);
  }
  if (definition.uses_kwargs) set(scope, Symbols::kwargs, rest.finish());
  const std::size_t taken = std::min(definition.parameters.size(), arguments.positional.size());
  if (definition.uses_varargs) {
    set(scope, Symbols::varargs, make_items(runtime_, Kind::tuple, arguments.positional.subspan(taken)));
  } else if (taken < arguments.positional.size()) {
    runtime_.fail("the macro '{}' takes not more than {} arguments, got {}", name, definition.parameters.size(),
                  arguments.positional.size());
  }
}

}  // namespace hone::jinja
