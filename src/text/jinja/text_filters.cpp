#include <algorithm>

#include "base/utf8.h"
#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"
#include "text/jinja/text_ops.h"

namespace hone::jinja::filter {

namespace {

void no_arguments(Runtime& runtime, std::string_view name, const Arguments& arguments) {
  Parameters(runtime, name, arguments).end();
}

/// Jinja2's title: words begin behind spaces and - ( { [ <.
const Str* title_case(Runtime& runtime, const Str& text) {
  constexpr std::string_view separators = "-({[<";
  const std::string_view view = text.view();
  runtime.spend_bytes(view.size() * 4);
  TextBuilder out(runtime);
  FlagCursor flags(text);
  std::string one;
  bool in_word = false;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(view, at);
    one.clear();
    if (is_space(point) || (point < 0x80 && separators.find(static_cast<char>(point)) != separators.npos)) {
      append_utf8(one, point);
      in_word = false;
    } else if (!in_word) {
      append_upper(one, point);
      in_word = true;
    } else {
      append_lower(one, point);
    }
    out.append(one, flags.at(begin));
  }
  return out.finish(text.safe);
}

}  // namespace

Value capitalize(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "capitalize", arguments);
  return Value::of(with_case(runtime, *to_str(runtime, value), Case::capitalize));
}

Value lower(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "lower", arguments);
  return Value::of(with_case(runtime, *to_str(runtime, value), Case::lower));
}

Value upper(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "upper", arguments);
  return Value::of(with_case(runtime, *to_str(runtime, value), Case::upper));
}

Value title(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "title", arguments);
  return Value::of(title_case(runtime, *to_str(runtime, value)));
}

Value string(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "string", arguments);
  return Value::of(to_str(runtime, value));
}

Value center(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str space{.data = " ", .size = 1};
  Parameters parameters(runtime, "center", arguments);
  const std::int64_t width = parameters.integer("width", 80);
  parameters.end();
  return Value::of(justified(runtime, *to_str(runtime, value), width, space, Justify::center));
}

Value trim(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "trim", arguments);
  const Value characters = parameters.optional("chars", Value::none());
  parameters.end();
  return Value::of(strip(runtime, *to_str(runtime, value), characters, true, true));
}

Value replace(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "replace", arguments);
  const Value old = parameters.required("old");
  const Value by = parameters.required("new");
  const Value count = parameters.optional("count", Value::none());
  parameters.end();
  if (!count.is(Kind::none) && !count.is_int()) runtime.fail("replace: 'count' is a {}, not an int", type_name(count));
  return Value::of(replaced(runtime, *to_str(runtime, value), *to_str(runtime, old), *to_str(runtime, by),
                            count.is(Kind::none) ? -1 : count.as_int()));
}

Value format(Runtime& runtime, Value value, const Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    runtime.fail("format: arguments with and without names cannot be mixed");
  }
  if (!arguments.named.empty()) runtime.fail("format: arguments with names are not supported");
  return percent_format(runtime, *to_str(runtime, value), make_items(runtime, Kind::tuple, arguments.positional));
}

Value safe(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "safe", arguments);
  Str text = *to_str(runtime, value);
  text.safe = true;
  text.growth = nullptr;
  return Value::of(runtime.make<Str>(text));
}

Value escape(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "escape", arguments);
  return Value::of(escaped_html(runtime, *to_str(runtime, value)));
}

Value forceescape(Runtime& runtime, Value value, const Arguments& arguments) {
  no_arguments(runtime, "forceescape", arguments);
  Str text = *to_str(runtime, value);
  text.safe = false;
  return Value::of(escaped_html(runtime, text));
}

Value indent(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "indent", arguments);
  const Value width = parameters.optional("width", Value::of(std::int64_t{4}));
  const bool first = parameters.boolean("first", false);
  const bool blank = parameters.boolean("blank", false);
  parameters.end();
  if (value.is(Kind::undefined)) fail_undefined(runtime, value);
  if (!value.is_string()) runtime.fail("indent: the value is a {}, not a str", type_name(value));
  const Str* by = nullptr;
  if (width.is_string()) {
    by = width.string;
  } else if (width.is_int()) {
    const std::int64_t spaces = std::clamp<std::int64_t>(width.as_int(), 0, 1 << 20);
    by = make_str(runtime, std::string(static_cast<std::size_t>(spaces), ' '));
  } else {
    runtime.fail("indent: 'width' is a {}, not an int or a str", type_name(width));
  }
  static constexpr Str newline{.data = "\n", .size = 1};
  const std::vector<Value> lines = split_lines(runtime, *concat(runtime, *value.string, newline), false);
  TextBuilder out(runtime);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.append("\n");
    if (i == 0 ? first : blank || lines[i].string->size > 0) out.append(*by);
    out.append(*lines[i].string);
  }
  return Value::of(out.finish(value.string->safe));
}

Value truncate(Runtime& runtime, Value value, const Arguments& arguments) {
  static constexpr Str dots{.data = "...", .size = 3};
  static constexpr Str space{.data = " ", .size = 1};
  Parameters parameters(runtime, "truncate", arguments);
  const std::int64_t length = parameters.integer("length", 255);
  const bool kill_words = parameters.boolean("killwords", false);
  const Value end = parameters.optional("end", Value::of(&dots));
  const Value leeway = parameters.optional("leeway", Value::none());
  parameters.end();
  const std::int64_t extra = leeway.is_int() ? leeway.as_int() : 5;
  if (!end.is_string()) runtime.fail("truncate: 'end' is a {}, not a str", type_name(end));
  if (length_of(value) < 0) runtime.fail("truncate: the value is a {}, not a str", type_name(value));
  if (value.is_string()) runtime.spend_bytes(value.string->size);
  const std::int64_t kept = length - length_of(end);
  if (kept < 0 || extra < 0) runtime.fail("truncate: 'length' is shorter than 'end', or 'leeway' is below 0");
  if (length_of(value) <= length || length_of(value) - length <= extra) return value;
  if (!value.is_string()) runtime.fail("truncate: the value is a {}, not a str", type_name(value));
  const Value head = get_slice(runtime, value, Value::none(), Value::of(kept), Value::none());
  const Str* text = head.string;
  if (!kill_words) text = split(runtime, *text, Value::of(&space), 1, true).front().string;
  return Value::of(concat(runtime, *text, *end.string));
}

Value tojson(Runtime& runtime, Value value, const Arguments& arguments) {
  Parameters parameters(runtime, "tojson", arguments);
  JsonStyle style;
  style.ascii = parameters.boolean("ensure_ascii", false);
  const Value indent = parameters.optional("indent", Value::none());
  const Value separators = parameters.optional("separators", Value::none());
  style.sort_keys = parameters.boolean("sort_keys", false);
  parameters.end();
  if (indent.is_string()) {
    style.indented = true;
    style.indent = indent.text();
  } else if (indent.is_int()) {
    style.indented = true;
    style.indent = std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(indent.as_int(), 0, 1 << 16)), ' ');
  } else if (!indent.is(Kind::none)) {
    runtime.fail("tojson: 'indent' is a {}, not an int", type_name(indent));
  }
  if (style.indented) style.item_separator = ",";
  if (!separators.is(Kind::none)) {
    const std::span<const Value> both = iterate(runtime, separators);
    if (both.size() != 2 || !both[0].is_string() || !both[1].is_string()) {
      runtime.fail("tojson: 'separators' must be two texts");
    }
    style.item_separator = both[0].text();
    style.key_separator = both[1].text();
  }
  const std::uint8_t flags = holds_data(runtime, value) ? from_data : 0;
  return Value::of(make_str(runtime, dump_json(runtime, value, style), flags));
}

}  // namespace hone::jinja::filter
