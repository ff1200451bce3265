#include <algorithm>
#include <utility>

#include "text/jinja/call.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

using Name = std::string_view;

template <bool (*test)(Value)>
bool simple(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "a test", arguments).end();
  return test(value);
}

bool is_defined(Value value) { return !value.is(Kind::undefined); }
bool is_undefined(Value value) { return value.is(Kind::undefined); }
bool is_none(Value value) { return value.is(Kind::none); }
bool is_boolean(Value value) { return value.is(Kind::boolean); }
bool is_false(Value value) { return value.is(Kind::boolean) && !value.boolean; }
bool is_true(Value value) { return value.is(Kind::boolean) && value.boolean; }
bool is_integer(Value value) { return value.is(Kind::integer); }
bool is_float(Value value) { return value.is(Kind::real); }
bool is_string(Value value) { return value.is_string(); }
bool is_number(Value value) { return value.is_number(); }
bool is_mapping(Value value) { return value.is(Kind::dict); }
bool is_sequence(Value value) {
  return value.is_string() || value.is_sequence() || value.is(Kind::dict) || value.is(Kind::range) ||
         value.is(Kind::undefined);
}
bool is_iterable(Value value) {
  return is_sequence(value) || value.is(Kind::view) || value.is(Kind::iterator) || value.is(Kind::loop);
}
bool is_callable(Value value) {
  return value.is(Kind::undefined) || value.is(Kind::method) || value.is(Kind::function) || value.is(Kind::macro) ||
         value.is(Kind::loop) || value.is(Kind::joiner);
}
bool is_escaped(Value value) { return value.is_string() && value.string->safe; }

/// value % divisor.
std::int64_t remainder(Runtime& runtime, Value value, Value divisor, bool& whole) {
  const Value rest = arithmetic(runtime, Op::modulo, value, divisor);
  whole = rest.is_number() && rest.as_real() == static_cast<double>(static_cast<std::int64_t>(rest.as_real()));
  return whole ? static_cast<std::int64_t>(rest.as_real()) : 0;
}

template <std::int64_t wanted>
bool is_parity(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "odd or even", arguments).end();
  bool whole = false;
  return remainder(runtime, value, Value::of(std::int64_t{2}), whole) == wanted && whole;
}

bool is_divisible(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "divisibleby", arguments);
  const Value divisor = parameters.required("num");
  parameters.end();
  bool whole = false;
  return remainder(runtime, value, divisor, whole) == 0 && whole;
}

template <Op op>
bool compared(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "a comparison", arguments);
  const Value other = parameters.required("");
  parameters.end();
  return compares(runtime, op, value, other);
}

bool is_in(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "in", arguments);
  const Value container = parameters.required("seq");
  parameters.end();
  return contains(runtime, container, value);
}

bool is_same(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "sameas", arguments);
  const Value other = parameters.required("other");
  parameters.end();
  if (value.kind != other.kind) return false;
  if (value.is_number() || value.is_string() || value.is(Kind::none)) return equal(runtime, value, other);
  return value.items == other.items;
}

/// str(value).islower() and isupper().
bool has_case(Runtime& runtime, Value value, std::string_view method) {
  const auto entry = std::ranges::find(str_tests(), method, &MethodEntry::name);
  return entry->call(runtime, Value::of(to_str(runtime, value)), {}).boolean;
}
bool is_lower(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "lower", arguments).end();
  return has_case(runtime, value, "islower");
}
bool is_upper(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "upper", arguments).end();
  return has_case(runtime, value, "isupper");
}

bool is_filter(Runtime&, Value value, const Arguments&) {
  return value.is_string() && find_filter(value.text()) != nullptr;
}
bool is_test(Runtime&, Value value, const Arguments&) {
  return value.is_string() && find_test(value.text()) != nullptr;
}

constexpr std::pair<Name, TestFunction> tests[] = {
    {"defined", simple<is_defined>},
    {"undefined", simple<is_undefined>},
    {"none", simple<is_none>},
    {"string", simple<is_string>},
    {"mapping", simple<is_mapping>},
    {"sequence", simple<is_sequence>},
    {"iterable", simple<is_iterable>},
    {"number", simple<is_number>},
    {"integer", simple<is_integer>},
    {"float", simple<is_float>},
    {"boolean", simple<is_boolean>},
    {"true", simple<is_true>},
    {"false", simple<is_false>},
    {"callable", simple<is_callable>},
    {"escaped", simple<is_escaped>},
    {"odd", is_parity<1>},
    {"even", is_parity<0>},
    {"divisibleby", is_divisible},
    {"lower", is_lower},
    {"upper", is_upper},
    {"filter", is_filter},
    {"test", is_test},
    {"sameas", is_same},
    {"in", is_in},
    {"eq", compared<Op::eq>},
    {"equalto", compared<Op::eq>},
    {"==", compared<Op::eq>},
    {"ne", compared<Op::ne>},
    {"!=", compared<Op::ne>},
    {"gt", compared<Op::gt>},
    {"greaterthan", compared<Op::gt>},
    {">", compared<Op::gt>},
    {"ge", compared<Op::ge>},
    {">=", compared<Op::ge>},
    {"lt", compared<Op::lt>},
    {"lessthan", compared<Op::lt>},
    {"<", compared<Op::lt>},
    {"le", compared<Op::le>},
    {"<=", compared<Op::le>},
};

}  // namespace

TestFunction find_test(std::string_view name) {
  const auto entry = std::ranges::find(tests, name, &std::pair<Name, TestFunction>::first);
  return entry == std::end(tests) ? nullptr : entry->second;
}

}  // namespace hone::jinja
