#include "text/jinja/call.h"

#include "text/jinja/runtime.h"

namespace hone::jinja {

const Value* Parameters::next(std::string_view name) {
  if (positional_ < arguments_.positional.size()) {
    if (arguments_.find(name) != nullptr) runtime_.fail("{}: two values for '{}'", callee_, name);
    return &arguments_.positional[positional_++];
  }
  const Value* value = arguments_.find(name);
  if (value != nullptr) ++named_;
  return value;
}

Value Parameters::required(std::string_view name) {
  const Value* value = next(name);
  if (value == nullptr) runtime_.fail("{}: the argument '{}' is missing", callee_, name);
  return *value;
}

Value Parameters::optional(std::string_view name, Value fallback) {
  const Value* value = next(name);
  return value == nullptr ? fallback : *value;
}

std::int64_t Parameters::integer(std::string_view name, std::int64_t fallback) {
  const Value value = optional(name, Value::of(fallback));
  if (!value.is_int()) runtime_.fail("{}: '{}' is a {}, not an int", callee_, name, type_name(value));
  return value.as_int();
}

bool Parameters::boolean(std::string_view name, bool fallback) { return truth(optional(name, Value::of(fallback))); }

void Parameters::end() {
  if (positional_ < arguments_.positional.size()) {
    runtime_.fail("{}: {} arguments are too many", callee_, arguments_.positional.size());
  }
  if (named_ == arguments_.named.size()) return;
  runtime_.fail("{}: an argument of that name is not known or given twice: '{}'", callee_,
                arguments_.named.back().name->view());
}

}  // namespace hone::jinja
