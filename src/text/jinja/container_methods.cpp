#include <algorithm>

#include "text/jinja/dict.h"
#include "text/jinja/methods.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

Value count(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "count", arguments);
  const Value wanted = parameters.required("");
  parameters.end();
  std::int64_t found = 0;
  for (const Value item : iterate(runtime, self)) {
    runtime.spend(1);
    found += equal(runtime, item, wanted);
  }
  return Value::of(found, self.data);
}

Value index(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "index", arguments);
  const Value wanted = parameters.required("");
  const std::span<const Value> items = iterate(runtime, self);
  const auto size = static_cast<std::int64_t>(items.size());
  const auto place = [&](std::int64_t at) { return at < 0 ? std::max<std::int64_t>(at + size, 0) : at; };
  const std::int64_t start = place(parameters.integer("", 0));
  const std::int64_t stop = std::min(place(parameters.integer("", size)), size);
  parameters.end();
  for (std::int64_t i = start; i < stop; ++i) {
    runtime.spend(1);
    if (equal(runtime, items[static_cast<std::size_t>(i)], wanted)) return Value::of(i, self.data);
  }
  runtime.fail("index(): the {} does not hold what was looked for", type_name(self));
}

Value copy(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters(runtime, "copy", arguments).end();
  return self;
}

template <ViewKind kind>
Value view(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters(runtime, "a view of a dict", arguments).end();
  Value value;
  value.kind = Kind::view;
  value.data = self.data;
  value.view = runtime.make<View>(self.dict, kind);
  return value;
}

Value get(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "get", arguments);
  const Value key = parameters.required("");
  const Value fallback = parameters.optional("", Value::none());
  parameters.end();
  const Value* value = find_in(runtime, *self.dict, key);
  return value == nullptr ? fallback : *value;
}

constexpr MethodEntry of_list[] = {
    {"count", count},           {"index", index},           {"copy", copy},
    {"append", nullptr, true},  {"clear", nullptr, true},   {"extend", nullptr, true}, {"insert", nullptr, true},
    {"pop", nullptr, true},     {"remove", nullptr, true},  {"reverse", nullptr, true}, {"sort", nullptr, true},
};

constexpr MethodEntry of_tuple[] = {{"count", count}, {"index", index}};

constexpr MethodEntry of_dict[] = {
    {"get", get},
    {"items", view<ViewKind::items>},
    {"keys", view<ViewKind::keys>},
    {"values", view<ViewKind::values>},
    {"copy", copy},
    {"fromkeys"},
    {"clear", nullptr, true},
    {"pop", nullptr, true},
    {"popitem", nullptr, true},
    {"setdefault", nullptr, true},
    {"update", nullptr, true},
};

}  // namespace

std::span<const MethodEntry> list_methods() { return of_list; }
std::span<const MethodEntry> tuple_methods() { return of_tuple; }
std::span<const MethodEntry> dict_methods() { return of_dict; }

}  // namespace hone::jinja
