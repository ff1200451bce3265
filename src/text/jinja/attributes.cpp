#include <algorithm>

#include "text/jinja/characters.h"
#include "text/jinja/dict.h"
#include "text/jinja/methods.h"
#include "text/jinja/objects.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

Value bound(Runtime& runtime, Value self, std::string_view name, MethodFunction call) {
  Value value;
  value.kind = Kind::method;
  value.method = runtime.make<Method>(self, name, call);
  return value;
}

bool find_method(Runtime& runtime, Value self, const Str* name, std::span<const MethodEntry> methods, Value& result) {
  const auto entry = std::ranges::find(methods, name->view(), &MethodEntry::name);
  if (entry == methods.end()) return false;
  if (entry->mutates) {
    result = Value::of(runtime.make<Undefined>(name, std::string_view{},
                                               "the sandbox does not let a template change lists and dicts: "
                                               "'append', 'pop', 'update' and their like are not available"));
  } else {
    result = bound(runtime, self, entry->name, entry->call);
  }
  return true;
}

Value loop_cycle(Runtime& runtime, Value self, const Arguments& arguments) {
  if (arguments.positional.empty()) runtime.fail("loop.cycle() needs arguments");
  const auto index = static_cast<std::size_t>(self.loop->index0);
  return arguments.positional[index % arguments.positional.size()];
}

Value loop_changed(Runtime& runtime, Value self, const Arguments& arguments) {
  const Value now = make_items(runtime, Kind::tuple, arguments.positional);
  const bool changed = !self.loop->last_changed.is(Kind::tuple) || !equal(runtime, self.loop->last_changed, now);
  self.loop->last_changed = now;
  return Value::of(changed);
}

bool find_loop_attribute(Runtime& runtime, Value self, std::string_view name, Value& result) {
  const Loop& loop = *self.loop;
  if (name == "index") result = Value::of(loop.index0 + 1);
  else if (name == "index0") result = Value::of(loop.index0);
  else if (name == "first") result = Value::of(loop.index0 == 0);
  else if (name == "last") result = Value::of(loop.index0 + 1 >= loop.size);
  else if (name == "length") result = Value::of(loop.size);
  else if (name == "revindex") result = Value::of(loop.size - loop.index0);
  else if (name == "revindex0") result = Value::of(loop.size - loop.index0 - 1);
  else if (name == "depth") result = Value::of(loop.depth0 + 1);
  else if (name == "depth0") result = Value::of(loop.depth0);
  else if (name == "previtem") {
    result = loop.index0 > 0 ? loop.items[loop.index0 - 1] : undefined_hint("there is no previous item", runtime);
  } else if (name == "nextitem") {
    result = loop.index0 + 1 < loop.size ? loop.items[loop.index0 + 1]
                                         : undefined_hint("there is no next item", runtime);
  } else if (name == "cycle") result = bound(runtime, self, "cycle", loop_cycle);
  else if (name == "changed") result = bound(runtime, self, "changed", loop_changed);
  else return false;
  return true;
}

Value cycler_next(Runtime&, Value self, const Arguments&) {
  Cycler& cycler = *self.cycler;
  const Value item = cycler.items[cycler.at];
  cycler.at = (cycler.at + 1) % cycler.size;
  return item;
}

Value cycler_reset(Runtime&, Value self, const Arguments&) {
  self.cycler->at = 0;
  return Value::none();
}

bool find_number_attribute(Runtime&, Value self, std::string_view name, Value& result) {
  if (name == "real") result = self.is(Kind::real) ? self : Value::of(self.as_int(), self.data);
  else if (name == "imag") result = self.is(Kind::real) ? Value::of(0.0) : Value::of(std::int64_t{0});
  else if (name == "numerator" && self.is_int()) result = Value::of(self.as_int(), self.data);
  else if (name == "denominator" && self.is_int()) result = Value::of(std::int64_t{1});
  else return false;
  return true;
}

}  // namespace

bool find_attribute(Runtime& runtime, Value object, const Str* name, Value& result) {
  switch (object.kind) {
    case Kind::string:
      return find_method(runtime, object, name, str_methods(), result) ||
             find_method(runtime, object, name, str_tests(), result);
    case Kind::list: return find_method(runtime, object, name, list_methods(), result);
    case Kind::tuple:
      if (object.items->group && name->view() == "grouper") return result = object.items->data[0], true;
      if (object.items->group && name->view() == "list") return result = object.items->data[1], true;
      return find_method(runtime, object, name, tuple_methods(), result);
    case Kind::range: return find_method(runtime, object, name, tuple_methods(), result);
    case Kind::dict: return find_method(runtime, object, name, dict_methods(), result);
    case Kind::boolean:
    case Kind::integer:
    case Kind::real: return find_number_attribute(runtime, object, name->view(), result);
    case Kind::loop: return find_loop_attribute(runtime, object, name->view(), result);
    case Kind::name_space:
      for (std::size_t i = 0; i < object.name_space->size; ++i) {
        if (object.name_space->keys[i].text() == name->view()) return result = object.name_space->values[i], true;
      }
      return false;
    case Kind::macro:
      if (name->view() != "name" || object.macro->definition->name == nullptr) return false;
      return result = Value::of(object.macro->definition->name), true;
    case Kind::cycler:
      if (name->view() == "next") return result = bound(runtime, object, "next", cycler_next), true;
      if (name->view() == "reset") return result = bound(runtime, object, "reset", cycler_reset), true;
      if (name->view() == "current") return result = object.cycler->items[object.cycler->at], true;
      return false;
    default: return false;
  }
}

namespace {

Value checked_attribute(Runtime& runtime, const Str* name, Value value) {
  if (!name->view().starts_with('_')) return value;
  return Value::of(runtime.make<Undefined>(name, std::string_view{}, "attributes that begin with '_' are not available"));
}

/// object[key] where Python has one: false for a missing key, an index out of range or a type without items.
bool find_item(Runtime& runtime, Value object, Value key, Value& result) {
  if (object.is(Kind::dict)) {
    if (key.is(Kind::list) || key.is(Kind::dict)) return false;
    const Value* value = find_in(runtime, *object.dict, key);
    if (value == nullptr) return false;
    return result = *value, true;
  }
  if (!key.is_int()) return false;
  std::int64_t index = key.as_int();
  const bool has_items = object.is_string() || object.is_sequence() || object.is(Kind::range);
  const std::int64_t size = has_items ? length_of(object) : 0;
  if (object.is(Kind::loop)) return false;
  if (index < 0) index += size;
  if (index < 0 || index >= size) return false;
  if (object.is_string()) {
    const std::string_view text = object.text();
    runtime.spend_bytes(text.size());
    const std::size_t begin = offset_of_point(text, static_cast<std::size_t>(index));
    const std::size_t size_of_one = offset_of_point(text.substr(begin), 1);
    result = Value::of(part(runtime, *object.string, begin, begin + size_of_one));
  } else if (object.is_sequence()) {
    result = object.items->data[index];
  } else {
    result = Value::of(object.range->start + index * object.range->step, object.data);
  }
  return true;
}

struct SliceBounds {
  std::int64_t start, stop, step;
};

SliceBounds slice_bounds(Runtime& runtime, Value start, Value stop, Value step, std::int64_t size) {
  const auto whole = [&](Value value) {
    if (!value.is_int()) runtime.fail("the bounds of a slice are ints, not a {}", type_name(value));
    return value.as_int();
  };
  constexpr std::int64_t far = std::int64_t{1} << 62;  // no text is as long: sums with it cannot overflow
  const std::int64_t by = step.is(Kind::none) ? 1 : std::clamp(whole(step), -far, far);
  if (by == 0) runtime.fail("the step of a slice cannot be 0");
  const std::int64_t lowest = by > 0 ? 0 : -1;
  const std::int64_t highest = by > 0 ? size : size - 1;
  const auto clamp = [&](Value value, std::int64_t fallback) {
    if (value.is(Kind::none)) return fallback;
    std::int64_t at = whole(value);
    if (at < 0) at = std::max(at + size, lowest);
    return std::min(at, highest);
  };
  return {clamp(start, by > 0 ? lowest : highest), clamp(stop, by > 0 ? highest : lowest), by};
}

Value slice_text(Runtime& runtime, const Str& text, const SliceBounds& b) {
  runtime.spend_bytes(text.size);
  if (b.step == 1) {
    if (b.start >= b.stop) return Value::of(part(runtime, text, 0, 0));
    const std::size_t begin = offset_of_point(text.view(), static_cast<std::size_t>(b.start));
    const std::size_t length = offset_of_point(text.view().substr(begin), static_cast<std::size_t>(b.stop - b.start));
    return Value::of(part(runtime, text, begin, begin + length));
  }
  const std::span<const Value> points = iterate(runtime, Value::of(&text));
  TextBuilder out(runtime);
  for (std::int64_t i = b.start; b.step > 0 ? i < b.stop : i > b.stop; i += b.step) {
    out.append(*points[static_cast<std::size_t>(i)].string);
    if (b.step > 0 ? b.step > b.stop - i : b.step < b.stop - i) break;
  }
  return Value::of(out.finish(text.safe));
}

}  // namespace

Value get_item(Runtime& runtime, Value object, Value key) {
  if (object.is(Kind::undefined)) fail_undefined(runtime, object);
  Value result;
  if (find_item(runtime, object, key, result)) return result;
  if (key.is_string()) {
    if (find_attribute(runtime, object, key.string, result)) return checked_attribute(runtime, key.string, result);
    return undefined_attribute(runtime, object, key.string);
  }
  return undefined_attribute(runtime, object, make_str(runtime, key.is_int() ? repr(runtime, key) : "<key>"));
}

Value get_attribute(Runtime& runtime, Value object, const Str* name) {
  if (object.is(Kind::undefined)) fail_undefined(runtime, object);
  Value result;
  if (find_attribute(runtime, object, name, result)) return checked_attribute(runtime, name, result);
  if (object.is(Kind::dict)) {
    const Value* value = find_in(*object.dict, name->view());
    if (value != nullptr) return *value;
  }
  return undefined_attribute(runtime, object, name);
}

Value get_slice(Runtime& runtime, Value object, Value start, Value stop, Value step) {
  if (object.is(Kind::undefined)) fail_undefined(runtime, object);
  const bool sliceable = object.is_string() || object.is_sequence() || object.is(Kind::range);
  if (!sliceable) runtime.fail("a {} cannot be sliced", type_name(object));
  const SliceBounds b = slice_bounds(runtime, start, stop, step, length_of(object));
  if (object.is_string()) return slice_text(runtime, *object.string, b);
  const std::int64_t size = b.step > 0 ? (b.start < b.stop ? (b.stop - b.start - 1) / b.step + 1 : 0)
                                       : (b.start > b.stop ? (b.start - b.stop - 1) / -b.step + 1 : 0);
  if (object.is(Kind::range)) {
    const Range& range = *object.range;
    const auto at = [&](std::int64_t index) {  // wraps around where Python would leave 64 bits
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(range.start) +
                                       static_cast<std::uint64_t>(index) * static_cast<std::uint64_t>(range.step));
    };
    Value value = object;
    value.range = runtime.make<Range>(at(b.start), at(b.stop), size > 1 ? range.step * b.step : 1, size);
    return value;
  }
  runtime.spend(size / 8);
  Value* items = runtime.array<Value>(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i) items[i] = object.items->data[b.start + i * b.step];
  return Value::of(object.kind, runtime.make<Items>(items, static_cast<std::size_t>(size)), object.data);
}

}  // namespace hone::jinja
