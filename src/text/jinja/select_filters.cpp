#include "text/jinja/filters.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja::filter {

namespace {

/// select, reject and their like: [attribute,] [test, its arguments…].
Value chosen(Runtime& runtime, Value value, const Arguments& arguments, bool by_attribute, bool wanted) {
  if (!truth(value) && !value.is(Kind::iterator)) return make_iterator(runtime, {});
  std::span<const Value> rest = arguments.positional;
  if (by_attribute && rest.empty()) runtime.fail("the name of the attribute is missing");
  const AttributePath path(runtime, by_attribute ? rest.front() : Value::none());
  if (by_attribute) rest = rest.subspan(1);
  TestFunction test = nullptr;
  if (!rest.empty()) {
    const Value name = rest.front();
    test = name.is_string() ? find_test(name.text()) : nullptr;
    if (test == nullptr) runtime.fail("there is no test '{}'", to_str(runtime, name)->view());
    rest = rest.subspan(1);
  }
  const Arguments of_test{rest, arguments.named};
  std::vector<Value> kept;
  for (const Value item : iterate(runtime, value)) {
    runtime.spend(1);
    const Value subject = path.of(item);
    const bool passes = test == nullptr ? truth(subject) : test(runtime, subject, of_test);
    if (passes == wanted) kept.push_back(item);
  }
  return make_iterator(runtime, kept);
}

}  // namespace

Value select(Runtime& runtime, Value value, const Arguments& arguments) {
  return chosen(runtime, value, arguments, false, true);
}
Value reject(Runtime& runtime, Value value, const Arguments& arguments) {
  return chosen(runtime, value, arguments, false, false);
}
Value selectattr(Runtime& runtime, Value value, const Arguments& arguments) {
  return chosen(runtime, value, arguments, true, true);
}
Value rejectattr(Runtime& runtime, Value value, const Arguments& arguments) {
  return chosen(runtime, value, arguments, true, false);
}

Value map(Runtime& runtime, Value value, const Arguments& arguments) {
  if (!truth(value) && !value.is(Kind::iterator)) return make_iterator(runtime, {});
  std::vector<Value> mapped;
  if (arguments.positional.empty() && arguments.find("attribute") != nullptr) {
    Parameters parameters(runtime, "map", arguments);
    const AttributePath path(runtime, parameters.required("attribute"));
    const Value fallback = parameters.optional("default", Value::none());
    parameters.end();
    for (const Value item : iterate(runtime, value)) {
      runtime.spend(1);
      mapped.push_back(path.of(item, fallback));
    }
    return make_iterator(runtime, mapped);
  }
  if (arguments.positional.empty()) runtime.fail("map: the name of a filter or 'attribute' is missing");
  const Value name = arguments.positional.front();
  const FilterFunction function = name.is_string() ? find_filter(name.text()) : nullptr;
  if (function == nullptr) runtime.fail("map: there is no filter '{}'", to_str(runtime, name)->view());
  const Arguments rest{arguments.positional.subspan(1), arguments.named};
  const Nested level(runtime);
  for (const Value item : iterate(runtime, value)) {
    runtime.spend(1);
    mapped.push_back(function(runtime, item, rest));
  }
  return make_iterator(runtime, mapped);
}

}  // namespace hone::jinja::filter
