#include <algorithm>

#include "base/utf8.h"
#include "text/jinja/characters.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"

namespace hone::jinja {

namespace {

const Str& text_argument(Runtime& runtime, std::string_view method, Value value) {
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (!value.is_string()) runtime.fail("{}() needs a str, not a {}", method, type_name(value));
  return *value.string;
}

template <Case how>
Value case_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters(runtime, "a method of str", arguments).end();
  return Value::of(with_case(runtime, *self.string, how));
}

template <bool left, bool right>
Value strip_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "strip", arguments);
  const Value characters = parameters.optional("", Value::none());
  parameters.end();
  return Value::of(strip(runtime, *self.string, characters, left, right));
}

template <bool from_right>
Value split_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "split", arguments);
  const Value separator = parameters.optional("sep", Value::none());
  const std::int64_t most = parameters.integer("maxsplit", -1);
  parameters.end();
  return make_items(runtime, Kind::list, split(runtime, *self.string, separator, most, from_right));
}

Value splitlines(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "splitlines", arguments);
  const bool keep_ends = parameters.boolean("keepends", false);
  parameters.end();
  return make_items(runtime, Kind::list, split_lines(runtime, *self.string, keep_ends));
}

Value replace(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "replace", arguments);
  const Str& old = text_argument(runtime, "replace", parameters.required(""));
  const Str& by = text_argument(runtime, "replace", parameters.required(""));
  const std::int64_t count = parameters.integer("", -1);
  parameters.end();
  return Value::of(replaced(runtime, *self.string, old, by, count));
}

Value join_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "join", arguments);
  const Value items = parameters.required("");
  parameters.end();
  return Value::of(join(runtime, *self.string, iterate(runtime, items), false));
}

/// The part of a text that the optional start and end choose, as code points.
struct Window {
  std::string_view text;
  std::int64_t start = 0;
  bool valid = true;
};

Window window(Runtime& runtime, std::string_view text, Parameters& parameters) {
  runtime.spend_bytes(text.size());
  const Value first = parameters.optional("", Value::none());
  const Value last = parameters.optional("", Value::none());
  parameters.end();
  if (first.is(Kind::none) && last.is(Kind::none)) return {text};
  const auto size = static_cast<std::int64_t>(utf8_length(text));
  const auto place = [&](Value value, std::int64_t fallback) {
    if (value.is(Kind::none)) return fallback;
    if (!value.is_int()) runtime.fail("the bounds of a search are ints, not a {}", type_name(value));
    const std::int64_t at = value.as_int();
    return at < 0 ? std::max<std::int64_t>(at + size, 0) : at;
  };
  const std::int64_t start = place(first, 0);
  const std::int64_t stop = std::min(place(last, size), size);
  if (start > stop || start > size) return {{}, start, false};
  const std::size_t begin = offset_of_point(text, static_cast<std::size_t>(start));
  const std::size_t length = offset_of_point(text.substr(begin), static_cast<std::size_t>(stop - start));
  return {text.substr(begin, length), start};
}

template <bool at_end>
Value affix_method(Runtime& runtime, Value self, const Arguments& arguments) {
  constexpr std::string_view name = at_end ? "endswith" : "startswith";
  Parameters parameters(runtime, name, arguments);
  const Value affix = parameters.required("");
  const Window part = window(runtime, self.text(), parameters);
  const auto has = [&](Value one) {
    const std::string_view text = text_argument(runtime, name, one).view();
    return part.valid && (at_end ? part.text.ends_with(text) : part.text.starts_with(text));
  };
  if (affix.is(Kind::tuple)) return Value::of(std::ranges::any_of(affix.items->span(), has));
  return Value::of(has(affix));
}

enum class Missing { minus_one, error };

template <bool from_right, Missing missing>
Value find_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "find", arguments);
  const Str& wanted = text_argument(runtime, "find", parameters.required(""));
  const Window part = window(runtime, self.text(), parameters);
  const std::size_t found = !part.valid  ? std::string_view::npos
                            : from_right ? find_last_text(runtime, part.text, wanted.view())
                                         : find_text(part.text, wanted.view());
  const bool data = self.string->has_data();
  if (found == std::string_view::npos) {
    if (missing == Missing::error) runtime.fail("index(): the text does not hold what was looked for");
    return Value::of(std::int64_t{-1}, data);
  }
  return Value::of(part.start + static_cast<std::int64_t>(utf8_length(part.text.substr(0, found))), data);
}

Value count_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "count", arguments);
  const Str& wanted = text_argument(runtime, "count", parameters.required(""));
  const Window part = window(runtime, self.text(), parameters);
  const bool data = self.string->has_data();
  std::int64_t count = 0;
  if (part.valid && wanted.size == 0) {
    count = static_cast<std::int64_t>(utf8_length(part.text)) + 1;
  } else if (part.valid) {
    for (std::size_t at = find_text(part.text, wanted.view()); at != part.text.npos; ++count) {
      at = find_text(part.text, wanted.view(), at + wanted.size);
    }
  }
  return Value::of(count, data);
}

template <bool prefix>
Value remove_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "removeprefix", arguments);
  const std::string_view affix = text_argument(runtime, "removeprefix", parameters.required("")).view();
  parameters.end();
  const Str& text = *self.string;
  runtime.spend_bytes(affix.size());
  const bool has = prefix ? text.view().starts_with(affix) : text.view().ends_with(affix);
  if (!has) return self;
  return Value::of(prefix ? part(runtime, text, affix.size(), text.size)
                          : part(runtime, text, 0, text.size - affix.size()));
}

template <bool from_right>
Value partition_method(Runtime& runtime, Value self, const Arguments& arguments) {
  Parameters parameters(runtime, "partition", arguments);
  const Str& separator = text_argument(runtime, "partition", parameters.required(""));
  parameters.end();
  if (separator.size == 0) runtime.fail("partition(): the separator is empty");
  const Str& text = *self.string;
  runtime.spend_bytes(text.size);
  const std::size_t found = from_right ? find_last_text(runtime, text.view(), separator.view())
                                       : find_text(text.view(), separator.view());
  const Value nothing = Value::of(part(runtime, text, 0, 0));
  if (found == std::string_view::npos) {
    const Value whole[] = {from_right ? nothing : self, nothing, from_right ? self : nothing};
    return make_items(runtime, Kind::tuple, whole);
  }
  const std::size_t behind = found + separator.size;
  const Value parts[] = {Value::of(part(runtime, text, 0, found)), Value::of(part(runtime, text, found, behind)),
                         Value::of(part(runtime, text, behind, text.size))};
  return make_items(runtime, Kind::tuple, parts);
}

template <Justify where>
Value justify_method(Runtime& runtime, Value self, const Arguments& arguments) {
  static constexpr Str space{.data = " ", .size = 1};
  Parameters parameters(runtime, "ljust", arguments);
  const Value width = parameters.required("");
  const Str& fill = text_argument(runtime, "ljust", parameters.optional("", Value::of(&space)));
  parameters.end();
  if (!width.is_int()) runtime.fail("the width is a {}, not an int", type_name(width));
  if (utf8_length(fill.view()) != 1) runtime.fail("the fill character must be one character");
  return Value::of(justified(runtime, *self.string, width.as_int(), fill, where));
}

Value zfill(Runtime& runtime, Value self, const Arguments& arguments) {
  static constexpr Str zero{.data = "0", .size = 1};
  Parameters parameters(runtime, "zfill", arguments);
  const Value width = parameters.required("");
  parameters.end();
  if (!width.is_int()) runtime.fail("the width is a {}, not an int", type_name(width));
  const Str& text = *self.string;
  if (!text.view().starts_with('+') && !text.view().starts_with('-')) {
    return Value::of(justified(runtime, text, width.as_int(), zero, Justify::right));
  }
  const Str& rest = *part(runtime, text, 1, text.size);
  return Value::of(concat(runtime, *part(runtime, text, 0, 1),
                          *justified(runtime, rest, width.as_int() - 1, zero, Justify::right)));
}

Value format_method(Runtime& runtime, Value self, const Arguments& arguments) {
  std::vector<Value> names, values;
  for (const Named& named : arguments.named) {
    names.push_back(Value::of(named.name));
    values.push_back(named.value);
  }
  return brace_format(runtime, *self.string, arguments.positional, names, values);
}

constexpr MethodEntry methods[] = {
    {"strip", strip_method<true, true>},
    {"lstrip", strip_method<true, false>},
    {"rstrip", strip_method<false, true>},
    {"split", split_method<false>},
    {"rsplit", split_method<true>},
    {"splitlines", splitlines},
    {"startswith", affix_method<false>},
    {"endswith", affix_method<true>},
    {"replace", replace},
    {"lower", case_method<Case::lower>},
    {"upper", case_method<Case::upper>},
    {"title", case_method<Case::title>},
    {"capitalize", case_method<Case::capitalize>},
    {"swapcase", case_method<Case::swap>},
    {"join", join_method},
    {"find", find_method<false, Missing::minus_one>},
    {"rfind", find_method<true, Missing::minus_one>},
    {"index", find_method<false, Missing::error>},
    {"rindex", find_method<true, Missing::error>},
    {"count", count_method},
    {"format", format_method},
    {"removeprefix", remove_method<true>},
    {"removesuffix", remove_method<false>},
    {"partition", partition_method<false>},
    {"rpartition", partition_method<true>},
    {"ljust", justify_method<Justify::left>},
    {"rjust", justify_method<Justify::right>},
    {"center", justify_method<Justify::center>},
    {"zfill", zfill},
    {"casefold"},
    {"encode"},
    {"expandtabs"},
    {"format_map"},
    {"maketrans"},
    {"translate"},
};

}  // namespace

std::span<const MethodEntry> str_methods() { return methods; }

}  // namespace hone::jinja
