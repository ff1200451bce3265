#include <algorithm>

#include "text/jinja/call.h"
#include "text/jinja/dict.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"
#include "text/jinja/value.h"

namespace hone::jinja {

namespace {

bool equal_items(Runtime& runtime, std::span<const Value> a, std::span<const Value> b) {
  if (a.size() != b.size()) return false;
  runtime.spend(static_cast<std::int64_t>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(runtime, a[i], b[i])) return false;
  }
  return true;
}

bool equal_dicts(Runtime& runtime, const Dict& a, const Dict& b) {
  if (a.size != b.size) return false;
  runtime.spend(static_cast<std::int64_t>(a.size));
  for (std::size_t i = 0; i < a.size; ++i) {
    const Value* other = find_in(runtime, b, a.keys[i]);
    if (other == nullptr || !equal(runtime, a.values[i], *other)) return false;
  }
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  return a.size == b.size && (a.size == 0 || (a.start == b.start && (a.size == 1 || a.step == b.step)));
}

/// The same object, as Python's `is`.
bool identical(Value a, Value b) { return a.kind == b.kind && a.items == b.items; }

template <class T>
int order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

bool equal(Runtime& runtime, Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    return a.is_int() && b.is_int() ? a.as_int() == b.as_int() : a.as_real() == b.as_real();
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::undefined:
    case Kind::none: return true;
    case Kind::string: runtime.spend_bytes(a.string->size); return a.text() == b.text();
    case Kind::list:
    case Kind::tuple: {
      const Nested level(runtime);
      return equal_items(runtime, a.items->span(), b.items->span());
    }
    case Kind::dict: {
      const Nested level(runtime);
      return equal_dicts(runtime, *a.dict, *b.dict);
    }
    case Kind::range: return equal_ranges(*a.range, *b.range);
    case Kind::view: {
      if (a.view->kind == ViewKind::values || a.view->kind != b.view->kind) return identical(a, b);
      const Nested level(runtime);  // compared as sets
      if (a.view->kind == ViewKind::items) return equal_dicts(runtime, *a.view->dict, *b.view->dict);
      const std::span<const Value> keys(a.view->dict->keys, a.view->dict->size);
      return a.view->dict->size == b.view->dict->size && std::ranges::all_of(keys, [&](Value key) {
               return find_in(runtime, *b.view->dict, key) != nullptr;
             });
    }
    case Kind::method: return a.method->name == b.method->name && identical(a.method->self, b.method->self);
    default: return identical(a, b);
  }
}

int compare(Runtime& runtime, Value a, Value b) {
  if (a.is(Kind::undefined)) fail_undefined(runtime, a);
  if (b.is(Kind::undefined)) fail_undefined(runtime, b);
  if (a.is_number() && b.is_number()) {
    return a.is_int() && b.is_int() ? order(a.as_int(), b.as_int()) : order(a.as_real(), b.as_real());
  }
  if (a.is_string() && b.is_string()) {
    runtime.spend_bytes(std::min(a.string->size, b.string->size));
    return order(a.text().compare(b.text()), 0);
  }
  if (a.kind == b.kind && a.is_sequence()) {
    const Nested level(runtime);
    const std::size_t both = std::min(a.items->size, b.items->size);
    for (std::size_t i = 0; i < both; ++i) {
      runtime.spend(1);
      if (!equal(runtime, a.items->data[i], b.items->data[i])) {
        return compare(runtime, a.items->data[i], b.items->data[i]);
      }
    }
    return order(a.items->size, b.items->size);
  }
  runtime.fail("a {} and a {} have no order", type_name(a), type_name(b));
}

bool contains(Runtime& runtime, Value container, Value item) {
  switch (container.kind) {
    case Kind::string:
      if (item.is(Kind::undefined)) fail_undefined(runtime, item);
      if (!item.is_string()) runtime.fail("'in' a text needs a str on its left, not a {}", type_name(item));
      runtime.spend_bytes(container.string->size);
      return find_text(container.text(), item.text()) != std::string_view::npos;
    case Kind::dict: return find_in(runtime, *container.dict, item) != nullptr;
    case Kind::view:
      if (container.view->kind == ViewKind::keys) return find_in(runtime, *container.view->dict, item) != nullptr;
      break;
    case Kind::range:
      if (item.is_int()) {
        const Range& range = *container.range;
        const std::int64_t distance = item.as_int() - range.start;
        return distance % range.step == 0 && distance / range.step >= 0 && distance / range.step < range.size;
      }
      break;
    default: break;
  }
  const std::span<const Value> items = iterate(runtime, container);
  runtime.spend(static_cast<std::int64_t>(items.size()));
  return std::ranges::any_of(items, [&](Value one) { return identical(one, item) || equal(runtime, one, item); });
}

}  // namespace hone::jinja
