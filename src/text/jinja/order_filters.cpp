#include <algorithm>

#include "text/jinja/dict.h"
#include "text/jinja/filters.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"

namespace hone::jinja::filter {

namespace {

/// What texts are compared by, unless case counts.
Value folded(Runtime& runtime, Value value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  return Value::of(with_case(runtime, *value.string, Case::lower));
}

struct Keyed {
  Value key;
  Value item;
};

/// Stable, also when reversed, as Python's sorted().
void sort_keyed(Runtime& runtime, std::vector<Keyed>& all, bool reverse) {
  std::ranges::stable_sort(all, [&](const Keyed& a, const Keyed& b) {
    runtime.spend(1);
    return reverse ? compare(runtime, b.key, a.key) < 0 : compare(runtime, a.key, b.key) < 0;
  });
}

Value items_of(Runtime& runtime, const std::vector<Keyed>& all) {
  std::vector<Value> items;
  for (const Keyed& one : all) items.push_back(one.item);
  return make_items(runtime, Kind::list, items);
}

Value least(Runtime& runtime, Value value, const Arguments& arguments, bool greatest) {
  Parameters parameters(runtime, greatest ? "max" : "min", arguments);
  const bool case_sensitive = parameters.boolean("case_sensitive", false);
  const AttributePath path(runtime, parameters.optional("attribute", Value::none()));
  parameters.end();
  const std::span<const Value> items = iterate(runtime, value);
  if (items.empty()) return undefined_hint("there is no least or greatest item: the sequence was empty", runtime);
  Value best = items.front();
  Value best_key = folded(runtime, path.of(best), case_sensitive);
  for (const Value item : items.subspan(1)) {
    const Value key = folded(runtime, path.of(item), case_sensitive);
    const int order = compare(runtime, key, best_key);
    if (greatest ? order <= 0 : order >= 0) continue;
    best = item;
    best_key = key;
  }
  return best;
}

}  // namespace

Value max(Runtime& runtime, Value value, const Arguments& arguments) { return least(runtime, value, arguments, true); }
Value min(Runtime& runtime, Value value, const Arguments& arguments) {
  return least(runtime, value, arguments, false);
}

Value sort(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str comma{.data = ",", .size = 1};
  Parameters parameters(runtime, "sort", arguments);
  const bool reverse = parameters.boolean("reverse", false);
  const bool case_sensitive = parameters.boolean("case_sensitive", false);
  const Value attribute = parameters.optional("attribute", Value::none());
  parameters.end();
  std::vector<AttributePath> paths;
  if (attribute.is_string()) {
    for (const Value one : split(runtime, *attribute.string, Value::of(&comma), -1, false)) {
      paths.emplace_back(runtime, one);
    }
  } else {
    paths.emplace_back(runtime, attribute);
  }
  std::vector<Keyed> all;
  for (const Value item : iterate(runtime, value)) {
    std::vector<Value> key;
    for (const AttributePath& path : paths) key.push_back(folded(runtime, path.of(item), case_sensitive));
    all.push_back({make_items(runtime, Kind::list, key), item});
  }
  sort_keyed(runtime, all, reverse);
  return items_of(runtime, all);
}

Value dictsort(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str by_key{.data = "key", .size = 3};
  Parameters parameters(runtime, "dictsort", arguments);
  const bool case_sensitive = parameters.boolean("case_sensitive", false);
  const Value by = parameters.optional("by", Value::of(&by_key));
  const bool reverse = parameters.boolean("reverse", false);
  parameters.end();
  const bool of_keys = by.is_string() && by.text() == "key";
  if (!of_keys && !(by.is_string() && by.text() == "value")) runtime.fail("dictsort: 'by' must be key or value");
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (!value.is(Kind::dict)) runtime.fail("dictsort: the value is a {}, not a dict", type_name(value));
  std::vector<Keyed> all;
  for (std::size_t i = 0; i < value.dict->size; ++i) {
    const Value pair[] = {value.dict->keys[i], value.dict->values[i]};
    all.push_back({folded(runtime, pair[of_keys ? 0 : 1], case_sensitive), make_items(runtime, Kind::tuple, pair)});
  }
  sort_keyed(runtime, all, reverse);
  return items_of(runtime, all);
}

Value groupby(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "groupby", arguments);
  const AttributePath path(runtime, parameters.required("attribute"));
  const Value fallback = parameters.optional("default", Value::none());
  const bool case_sensitive = parameters.boolean("case_sensitive", false);
  parameters.end();
  std::vector<Keyed> all;
  for (const Value item : iterate(runtime, value)) {
    all.push_back({folded(runtime, path.of(item, fallback), case_sensitive), item});
  }
  sort_keyed(runtime, all, false);
  std::vector<Value> groups;
  for (std::size_t begin = 0; begin < all.size();) {
    std::vector<Value> members;
    std::size_t end = begin;
    for (; end < all.size() && equal(runtime, all[begin].key, all[end].key); ++end) members.push_back(all[end].item);
    if (end == begin) end = begin + 1;
    const Value pair[] = {path.of(all[begin].item, fallback), make_items(runtime, Kind::list, members)};
    Value* copy = runtime.array<Value>(2);
    std::copy(pair, pair + 2, copy);
    groups.push_back(Value::of(Kind::tuple, runtime.make<Items>(copy, std::size_t{2}, true), false));
    begin = end;
  }
  return make_items(runtime, Kind::list, groups);
}

Value unique(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "unique", arguments);
  const bool case_sensitive = parameters.boolean("case_sensitive", false);
  const AttributePath path(runtime, parameters.optional("attribute", Value::none()));
  parameters.end();
  DictBuilder seen(runtime);
  for (const Value item : iterate(runtime, value)) {
    seen.set_first(folded(runtime, path.of(item), case_sensitive), item);
  }
  const Value all = seen.finish();
  return make_iterator(runtime, {all.dict->values, all.dict->size});
}

}  // namespace hone::jinja::filter
