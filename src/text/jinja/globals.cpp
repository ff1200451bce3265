#include <algorithm>
#include <ctime>

#include "base/utf8.h"
#include "text/jinja/call.h"
#include "text/jinja/dict.h"
#include "text/jinja/objects.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

Value range(Runtime& runtime, const Arguments& arguments) {
  Parameters parameters(runtime, "range", arguments);
  const Value first = parameters.required("");
  const Value second = parameters.optional("", Value::none());
  const std::int64_t step = parameters.integer("", 1);
  parameters.end();
  for (const Value bound : {first, second}) {
    if (!bound.is_int() && !bound.is(Kind::none)) runtime.fail("range: a bound is a {}, not an int", type_name(bound));
  }
  if (step == 0) runtime.fail("range: the step is 0");
  if (first.is(Kind::none)) runtime.fail("range: a bound is None, not an int");
  const std::int64_t start = second.is(Kind::none) ? 0 : first.as_int();
  const std::int64_t stop = second.is(Kind::none) ? first.as_int() : second.as_int();
  const auto distance = step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  const __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  const __int128 size = distance > 0 ? (distance - 1) / stride + 1 : 0;
  if (size > runtime.limits.range_items) {
    runtime.fail("range: more than {} items are not allowed", runtime.limits.range_items);
  }
  Value value;
  value.kind = Kind::range;
  value.data = first.data || second.data;
  value.range = runtime.make<Range>(start, stop, step, static_cast<std::int64_t>(size));
  return value;
}

/// dict(mapping or pairs, **named).
Value make_dict(Runtime& runtime, const Arguments& arguments) {
  if (arguments.positional.size() > 1) runtime.fail("dict: more than one argument without a name");
  DictBuilder dict(runtime);
  for (const Value source : arguments.positional) {
    if (source.is(Kind::dict)) {
      for (std::size_t i = 0; i < source.dict->size; ++i) dict.set(source.dict->keys[i], source.dict->values[i]);
      continue;
    }
    for (const Value pair : iterate(runtime, source)) {
      const std::span<const Value> both = iterate(runtime, pair);
      if (both.size() != 2) runtime.fail("dict: an item has {} parts, not a key and a value", both.size());
      dict.set(both[0], both[1]);
    }
  }
  for (const Named& named : arguments.named) dict.set(Value::of(named.name), named.value);
  return dict.finish();
}

Value make_namespace(Runtime& runtime, const Arguments& arguments) {
  const Value initial = make_dict(runtime, arguments);
  Value value;
  value.kind = Kind::name_space;
  value.name_space = runtime.make<NameSpace>();
  for (std::size_t i = 0; i < initial.dict->size; ++i) {
    const Value key = initial.dict->keys[i];
    if (!key.is_string()) runtime.fail("namespace: a name is a {}, not a str", type_name(key));
    if (key.text().starts_with('_')) {
      runtime.fail("attributes of a namespace cannot begin with '_', as '{}' does", key.text());
    }
    set_attribute(runtime, *value.name_space, key.string, initial.dict->values[i]);
  }
  return value;
}

Value raise_exception(Runtime& runtime, const Arguments& arguments) {
  Parameters parameters(runtime, "raise_exception", arguments);
  const Value message = parameters.required("message");
  parameters.end();
  runtime.fail("the template refuses this conversation: {}", to_str(runtime, message)->view());
}

Value strftime_now(Runtime& runtime, const Arguments& arguments) {
  Parameters parameters(runtime, "strftime_now", arguments);
  const Value format = parameters.required("format");
  parameters.end();
  if (!format.is_string()) runtime.fail("strftime_now: the format is a {}, not a str", type_name(format));
  const std::string pattern = std::string(format.text()) + "x";  // so that an empty result is not taken for failure
  if (pattern.size() > 1024) runtime.fail("strftime_now: a format of {} bytes is too long", pattern.size());
  std::string text(256 + pattern.size() * 16, '\0');
  text.resize(std::strftime(text.data(), text.size(), pattern.c_str(), &runtime.now));
  if (!text.empty()) text.pop_back();
  return Value::of(make_str(runtime, valid_utf8(text), format.string->has_data() ? from_data : 0));
}

Value make_cycler(Runtime& runtime, const Arguments& arguments) {
  if (arguments.positional.empty() || !arguments.named.empty()) runtime.fail("cycler: it needs items without names");
  Value value;
  value.kind = Kind::cycler;
  value.cycler = runtime.make<Cycler>(arguments.positional.data(), arguments.positional.size(), std::size_t{0});
  return value;
}

Value make_joiner(Runtime& runtime, const Arguments& arguments) {
  static constexpr Str comma{.data = ", ", .size = 2};
  Parameters parameters(runtime, "joiner", arguments);
  const Value separator = parameters.optional("sep", Value::of(&comma));
  parameters.end();
  Value value;
  value.kind = Kind::joiner;
  value.joiner = runtime.make<Joiner>(separator, false);
  return value;
}

constexpr Global globals[] = {
    {"range", range},
    {"dict", make_dict},
    {"namespace", make_namespace},
    {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
    {"cycler", make_cycler},
    {"joiner", make_joiner},
};

}  // namespace

const Global* find_global(std::string_view name) {
  const auto entry = std::ranges::find(globals, name, &Global::name);
  return entry == std::end(globals) ? nullptr : entry;
}

}  // namespace hone::jinja
