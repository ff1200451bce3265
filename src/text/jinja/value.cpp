#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/code_points.h"
#include "text/jinja/dict.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

std::string_view type_name(Value value) {
  constexpr std::string_view names[] = {"Undefined", "NoneType", "bool",      "int",       "float",
                                        "str",       "list",     "tuple",     "dict",      "dict view",
                                        "range",     "generator", "Namespace", "Macro",    "method",
                                        "function",  "LoopContext", "Cycler",  "Joiner"};
  return names[static_cast<std::size_t>(value.kind)];
}

bool truth(Value value) {
  switch (value.kind) {
    case Kind::undefined:
    case Kind::none: return false;
    case Kind::boolean: return value.boolean;
    case Kind::integer: return value.integer != 0;
    case Kind::real: return value.real != 0;
    case Kind::string: return value.string->size != 0;
    default: {
      const std::int64_t length = length_of(value);
      return length != 0;  // what has no length is true
    }
  }
}

void fail_undefined(Runtime& runtime, Value value) {
  const Undefined* why = value.undefined;
  if (why == nullptr) runtime.fail("the value is undefined");
  if (!why->hint.empty()) runtime.fail("{}", why->hint);
  if (why->owner.empty()) runtime.fail("'{}' is undefined", why->name->view());
  runtime.fail("a {} has no attribute or item '{}'", why->owner, why->name->view());
}

Value undefined_named(Runtime& runtime, std::string_view name) {
  return Value::of(runtime.make<Undefined>(borrow_str(runtime, name, 0)));
}

Value undefined_attribute(Runtime& runtime, Value owner, const Str* name) {
  return Value::of(runtime.make<Undefined>(name, type_name(owner)));
}

Value undefined_hint(std::string_view hint, Runtime& runtime) {
  return Value::of(runtime.make<Undefined>(nullptr, std::string_view{}, hint));
}

Value make_items(Runtime& runtime, Kind kind, std::span<const Value> values, bool data) {
  runtime.spend(static_cast<std::int64_t>(values.size() / 8));
  Value* copy = runtime.array<Value>(values.size());
  std::copy(values.begin(), values.end(), copy);
  return Value::of(kind, runtime.make<Items>(copy, values.size()), data);
}

void set_attribute(Runtime& runtime, NameSpace& space, const Str* name, Value value) {
  for (std::size_t i = 0; i < space.size; ++i) {
    if (space.keys[i].text() != name->view()) continue;
    space.values[i] = value;
    return;
  }
  runtime.spend(static_cast<std::int64_t>(space.size));
  if (space.size == space.capacity) {
    const std::size_t capacity = space.capacity == 0 ? 4 : space.capacity * 2;
    Value* keys = runtime.array<Value>(capacity);
    Value* values = runtime.array<Value>(capacity);
    std::copy_n(space.keys, space.size, keys);
    std::copy_n(space.values, space.size, values);
    space.keys = keys;
    space.values = values;
    space.capacity = capacity;
  }
  space.keys[space.size] = Value::of(name);
  space.values[space.size++] = value;
}

Value make_iterator(Runtime& runtime, std::span<const Value> values) {
  Value* copy = runtime.array<Value>(values.size());
  std::copy(values.begin(), values.end(), copy);
  Value value;
  value.kind = Kind::iterator;
  value.iterator = runtime.make<Iterator>(copy, values.size(), std::size_t{0});
  return value;
}

namespace {

std::span<const Value> characters(Runtime& runtime, const Str& text) {
  if (text.safe) {  // Python's iteration over markup gives plain texts
    Str* plain = runtime.make<Str>(text);
    plain->safe = false;
    return characters(runtime, *plain);
  }
  std::size_t count = 0;
  for (const char c : text.view()) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  runtime.spend(static_cast<std::int64_t>(count * (1 + text.mark_count / 16)));
  Value* items = runtime.array<Value>(count);
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = at;
    next_code_point(text.view(), at);
    items[i] = Value::of(part(runtime, text, begin, at));
  }
  return {items, count};
}

std::span<const Value> view_items(Runtime& runtime, const View& view) {
  const Dict& dict = *view.dict;
  if (view.kind == ViewKind::keys) return {dict.keys, dict.size};
  if (view.kind == ViewKind::values) return {dict.values, dict.size};
  Value* items = runtime.array<Value>(dict.size);
  for (std::size_t i = 0; i < dict.size; ++i) {
    const Value pair[] = {dict.keys[i], dict.values[i]};
    items[i] = make_items(runtime, Kind::tuple, pair);
  }
  return {items, dict.size};
}

std::span<const Value> range_items(Runtime& runtime, const Range& range, bool data) {
  const auto count = static_cast<std::size_t>(range.size);
  runtime.spend(range.size);
  Value* items = runtime.array<Value>(count);
  for (std::size_t i = 0; i < count; ++i) {
    items[i] = Value::of(range.start + static_cast<std::int64_t>(i) * range.step, data);
  }
  return {items, count};
}

}  // namespace

std::span<const Value> iterate(Runtime& runtime, Value value) {
  switch (value.kind) {
    case Kind::undefined: return {};
    case Kind::string: return characters(runtime, *value.string);
    case Kind::list:
    case Kind::tuple: return value.items->span();
    case Kind::dict: return {value.dict->keys, value.dict->size};
    case Kind::view: return view_items(runtime, *value.view);
    case Kind::range: return range_items(runtime, *value.range, value.data);
    case Kind::iterator: {
      if (value.iterator->error != nullptr) throw Error(ErrorKind::data, std::string(value.iterator->error->view()));
      const std::span<const Value> rest(value.iterator->data + value.iterator->at,
                                        value.iterator->size - value.iterator->at);
      value.iterator->at = value.iterator->size;
      return rest;
    }
    default: runtime.fail("a {} cannot be iterated over", type_name(value));
  }
}

std::int64_t length_of(Value value) {
  switch (value.kind) {
    case Kind::undefined: return 0;
    case Kind::string: return static_cast<std::int64_t>(utf8_length(value.text()));
    case Kind::list:
    case Kind::tuple: return static_cast<std::int64_t>(value.items->size);
    case Kind::dict: return static_cast<std::int64_t>(value.dict->size);
    case Kind::view: return static_cast<std::int64_t>(value.view->dict->size);
    case Kind::range: return value.range->size;
    case Kind::loop: return value.loop->size;
    default: return -1;
  }
}

bool holds_data(Runtime& runtime, Value value) {
  if (value.is_string()) return value.string->has_data();
  if (value.data) return true;
  std::span<const Value> values;
  const Nested level(runtime);
  if (value.is_sequence()) {
    values = value.items->span();
  } else if (value.is(Kind::iterator)) {
    values = {value.iterator->data, value.iterator->size};
  } else if (value.is(Kind::name_space)) {
    values = {value.name_space->values, value.name_space->size};
  } else if (value.is(Kind::dict) || value.is(Kind::view)) {
    const Dict& dict = value.is(Kind::dict) ? *value.dict : *value.view->dict;
    for (std::size_t i = 0; i < dict.size; ++i) {
      if (holds_data(runtime, dict.keys[i])) return true;
    }
    values = {dict.values, dict.size};
  }
  runtime.spend(static_cast<std::int64_t>(values.size()));
  return std::ranges::any_of(values, [&](Value item) { return holds_data(runtime, item); });
}

}  // namespace hone::jinja
