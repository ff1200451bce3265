#include <algorithm>

#include "text/jinja/dict.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"

namespace hone::jinja {

namespace {

/// Python's str.isdigit() for the ASCII digits: what int() then reads.
bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

AttributePath::AttributePath(Runtime& runtime, Value attribute) : runtime_(runtime) {
  if (attribute.is(Kind::none)) return;
  if (!attribute.is_string()) {
    parts_.push_back(attribute);
    return;
  }
  static constexpr Str dot{.data = ".", .size = 1};
  for (const Value part : split(runtime, *attribute.string, Value::of(&dot), -1, false)) {
    std::int64_t index = 0;
    if (is_number(part.text()) && parse_integer(part.text(), 10, index)) parts_.push_back(Value::of(index));
    else parts_.push_back(part);
  }
}

Value AttributePath::of(Value item, Value fallback) const {
  for (const Value part : parts_) {
    item = get_item(runtime_, item, part);
    if (item.is(Kind::undefined) && !fallback.is(Kind::none)) item = fallback;
  }
  return item;
}

namespace filter {

Value batch(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "batch", arguments);
  const Value size = parameters.required("linecount");
  const Value fill = parameters.optional("fill_with", Value::none());
  parameters.end();
  if (!size.is_int()) runtime.fail("batch: the size is a {}, not an int", type_name(size));
  if (size.as_int() > runtime.limits.range_items) runtime.fail("batch: {} items are too many", size.as_int());
  const std::span<const Value> items = iterate(runtime, value);
  std::vector<Value> rows;
  std::vector<Value> row;
  const auto finish = [&] {
    rows.push_back(make_items(runtime, Kind::list, row));
    row.clear();
  };
  for (const Value item : items) {
    runtime.spend(1);
    if (static_cast<std::int64_t>(row.size()) == size.as_int()) finish();
    row.push_back(item);
  }
  while (!row.empty() && !fill.is(Kind::none) && static_cast<std::int64_t>(row.size()) < size.as_int()) {
    row.push_back(fill);
  }
  if (!row.empty()) finish();
  return make_iterator(runtime, rows);
}

Value slice(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "slice", arguments);
  const Value slices = parameters.required("slices");
  const Value fill = parameters.optional("fill_with", Value::none());
  parameters.end();
  if (!slices.is_int()) runtime.fail("slice: the number is a {}, not an int", type_name(slices));
  const std::int64_t count = slices.as_int();
  if (count == 0) runtime.fail("slice: the number of slices is 0");
  if (count > runtime.limits.range_items) runtime.fail("slice: {} slices are too many", count);
  const std::span<const Value> items = iterate(runtime, value);
  runtime.spend(count > 0 ? count : 1);
  std::vector<Value> rows;
  std::size_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto many = static_cast<std::int64_t>(items.size());
    const bool longer = i < many % count;
    const auto size = static_cast<std::size_t>(many / count + (longer ? 1 : 0));
    std::vector<Value> row(items.begin() + static_cast<std::ptrdiff_t>(at),
                           items.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    if (!fill.is(Kind::none) && !longer) row.push_back(fill);
    rows.push_back(make_items(runtime, Kind::list, row));
  }
  return make_iterator(runtime, rows);
}

Value first(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "first", arguments).end();
  if (value.is(Kind::iterator)) {
    Iterator& rest = *value.iterator;
    if (rest.error != nullptr) iterate(runtime, value);
    if (rest.at < rest.size) return rest.data[rest.at++];
    return undefined_hint("there is no first item: the sequence was empty", runtime);
  }
  const std::span<const Value> items = iterate(runtime, value);
  return items.empty() ? undefined_hint("there is no first item: the sequence was empty", runtime) : items.front();
}

Value last(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "last", arguments).end();
  if (value.is(Kind::iterator)) runtime.fail("last: a generator has no last item; use |list before it");
  const std::span<const Value> items = iterate(runtime, value);
  return items.empty() ? undefined_hint("there is no last item: the sequence was empty", runtime) : items.back();
}

Value list(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "list", arguments).end();
  return make_items(runtime, Kind::list, iterate(runtime, value), value.data);
}

Value items(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "items", arguments).end();
  if (value.is(Kind::undefined)) return make_iterator(runtime, {});
  if (!value.is(Kind::dict)) runtime.fail("items: the value is a {}, not a dict", type_name(value));
  Value view;
  view.kind = Kind::view;
  view.view = runtime.make<View>(value.dict, ViewKind::items);
  return make_iterator(runtime, iterate(runtime, view));
}

Value join(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str empty;
  Parameters parameters(runtime, "join", arguments);
  const Value separator = parameters.optional("d", Value::of(&empty));
  const Value attribute = parameters.optional("attribute", Value::none());
  parameters.end();
  std::span<const Value> items = iterate(runtime, value);
  std::vector<Value> parts;
  if (!attribute.is(Kind::none)) {
    const AttributePath path(runtime, attribute);
    for (const Value item : items) parts.push_back(path.of(item));
    items = parts;
  }
  return Value::of(hone::jinja::join(runtime, *to_str(runtime, separator), items, true));
}

Value reverse(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters(runtime, "reverse", arguments).end();
  if (value.is_string()) {
    return get_slice(runtime, value, Value::none(), Value::none(), Value::of(std::int64_t{-1}));
  }
  const std::span<const Value> items = iterate(runtime, value);
  const std::vector<Value> backwards(items.rbegin(), items.rend());
  if (value.is(Kind::iterator)) return make_items(runtime, Kind::list, backwards);
  return make_iterator(runtime, backwards);
}

Value sum(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "sum", arguments);
  const Value attribute = parameters.optional("attribute", Value::none());
  Value total = parameters.optional("start", Value::of(std::int64_t{0}));
  parameters.end();
  if (total.is_string()) runtime.fail("sum: texts are joined with |join");
  const AttributePath path(runtime, attribute);
  for (const Value item : iterate(runtime, value)) {
    runtime.spend(1);
    total = arithmetic(runtime, Op::add, total, path.of(item));
  }
  return total;
}

}  // namespace filter

}  // namespace hone::jinja
