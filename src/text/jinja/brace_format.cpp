#include <algorithm>

#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/filters.h"
#include "text/jinja/number_format.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

class BraceFormat {
 public:
  BraceFormat(Runtime& runtime, const Str& format, std::span<const Value> positional, std::span<const Value> names,
              std::span<const Value> named)
      : runtime_(runtime), format_(format), positional_(positional), names_(names), named_(named), out_(runtime) {}

  const Str* run() {
    const std::string_view view = format_.view();
    std::size_t kept = 0;
    for (std::size_t at = 0; at < view.size(); ++at) {
      if (view[at] != '{' && view[at] != '}') continue;
      out_.append_part(format_, kept, at);
      if (at + 1 < view.size() && view[at + 1] == view[at]) {
        out_.append_part(format_, at, at + 1);
        ++at;
      } else if (view[at] == '}') {
        runtime_.fail("format: a single '}}' in the text");
      } else {
        const std::size_t close = closing(view, at);
        field(view.substr(at + 1, close - at - 1));
        at = close;
      }
      kept = at + 1;
    }
    out_.append_part(format_, kept, view.size());
    return out_.finish(format_.safe);
  }

 private:
  std::size_t closing(std::string_view view, std::size_t open) const {
    const std::size_t close = view.find('}', open);
    if (close == view.npos) runtime_.fail("format: a '{{' is not closed");
    if (view.substr(open + 1, close - open - 1).find('{') != view.npos) {
      runtime_.fail("format: fields inside fields are not supported");
    }
    return close;
  }

  void field(std::string_view field) {
    std::string_view spec;
    if (const std::size_t colon = field.find(':'); colon != field.npos) {
      spec = field.substr(colon + 1);
      field = field.substr(0, colon);
    }
    char conversion = '\0';
    if (const std::size_t mark = field.find('!'); mark != field.npos) {
      if (mark + 2 != field.size()) runtime_.fail("format: one letter must follow '!'");
      conversion = field[mark + 1];
      field = field.substr(0, mark);
    }
    Value value = lookup(field);
    if (conversion == 'r') {
      value = Value::of(make_str(runtime_, repr(runtime_, value), holds_data(runtime_, value) ? from_data : 0));
    } else if (conversion == 's') {
      value = Value::of(to_str(runtime_, value));
    } else if (conversion != '\0') {
      runtime_.fail("format: the conversion '!{}' is unknown", conversion);
    }
    append(value, spec);
  }

  Value lookup(std::string_view field) {
    const std::size_t end = std::min(field.find_first_of(".["), field.size());
    Value value = first(field.substr(0, end));
    for (std::size_t at = end; at < field.size();) {
      const bool attribute = field[at] == '.';
      const std::size_t to = attribute ? std::min(field.find_first_of(".[", at + 1), field.size())
                                       : field.find(']', at);
      if (to == field.npos) runtime_.fail("format: a '[' is not closed");
      const Str* name = make_str(runtime_, field.substr(at + 1, to - at - 1));
      if (name->size == 0) runtime_.fail("format: an attribute has no name");
      std::int64_t index = 0;
      if (attribute) value = get_attribute(runtime_, value, name);
      else if (is_index(name->view()) && parse_integer(name->view(), 10, index)) {
        value = get_item(runtime_, value, Value::of(index));
      } else {
        value = get_item(runtime_, value, Value::of(name));
      }
      at = attribute ? to : to + 1;
    }
    return value;
  }

  static bool is_index(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  }

  Value first(std::string_view name) {
    if (name.empty()) {
      if (numbered_) runtime_.fail("format: numbered fields and fields without numbers are mixed");
      counted_ = true;
      return at(next_++);
    }
    if (is_index(name)) {
      if (counted_) runtime_.fail("format: numbered fields and fields without numbers are mixed");
      numbered_ = true;
      std::int64_t index = 0;
      if (!parse_integer(name, 10, index)) runtime_.fail("format: there is no argument {}", name);
      return at(static_cast<std::size_t>(index));
    }
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].text() == name) return named_[i];
    }
    runtime_.fail("format: there is no argument '{}'", name);
  }

  Value at(std::size_t index) const {
    if (index >= positional_.size()) runtime_.fail("format: there is no argument {}", index);
    return positional_[index];
  }

  void append(Value value, std::string_view text) {
    if (text.empty()) return append_str(runtime_, out_, value);
    FormatSpec spec = parsed(text);
    if (value.is_number() && !(value.is(Kind::boolean) && (spec.type == '\0' || spec.type == 's'))) {
      out_.append(padded(runtime_, format_number(runtime_, value, spec), spec, true), value.data ? from_data : 0);
      return;
    }
    if (!value.is_string() && !value.is(Kind::boolean)) {
      runtime_.fail("format: a {} takes no format after ':'", type_name(value));
    }
    if ((spec.type != '\0' && spec.type != 's') || spec.align == '=' || spec.sign != '-' || spec.grouping != '\0') {
      runtime_.fail("format: the format '{}' does not fit a str", text);
    }
    const Str* content = to_str(runtime_, value);
    if (spec.precision >= 0) {
      content = part(runtime_, *content, 0, offset_of_point(content->view(), static_cast<std::size_t>(spec.precision)));
    }
    out_.append(padded(runtime_, std::string(content->view()), spec, false), content->has_data() ? from_data : 0);
  }

  FormatSpec parsed(std::string_view text) const {
    FormatSpec spec;
    std::size_t at = 0;
    const auto is_align = [&](std::size_t i) {
      return i < text.size() && std::string_view("<>^=").find(text[i]) != std::string_view::npos;
    };
    std::size_t behind = 0;
    if (!text.empty()) next_code_point(text, behind);
    if (is_align(behind)) {
      spec.fill = text.substr(0, behind);
      spec.align = text[behind];
      at = behind + 1;
    } else if (is_align(0)) {
      spec.align = text[at++];
    }
    const auto skip = [&](char c) { return at < text.size() && text[at] == c ? (++at, true) : false; };
    for (const char sign : {'+', '-', ' '}) {
      if (skip(sign)) {
        spec.sign = sign;
        break;
      }
    }
    spec.alternate = skip('#');
    spec.zero = skip('0');
    spec.width = digits(text, at, 0);
    for (const char separator : {',', '_'}) {
      if (skip(separator)) spec.grouping = separator;
    }
    if (skip('.')) {
      spec.precision = digits(text, at, -1);
      if (spec.precision < 0) runtime_.fail("format: the precision is missing in '{}'", text);
    }
    if (at < text.size()) spec.type = text[at++];
    if (at != text.size()) runtime_.fail("format: the format '{}' is not understood", text);
    return spec;
  }

  std::int64_t digits(std::string_view text, std::size_t& at, std::int64_t none) const {
    std::int64_t value = none;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      value = std::max<std::int64_t>(value, 0) * 10 + (text[at] - '0');
      runtime_.check_string_size(static_cast<std::size_t>(value));
    }
    return value;
  }

  Runtime& runtime_;
  const Str& format_;
  std::span<const Value> positional_;
  std::span<const Value> names_;
  std::span<const Value> named_;
  TextBuilder out_;
  std::size_t next_ = 0;
  bool counted_ = false;
  bool numbered_ = false;
};

}  // namespace

Value brace_format(Runtime& runtime, const Str& format, std::span<const Value> positional, std::span<const Value> names,
                   std::span<const Value> named) {
  runtime.spend_bytes(format.size);
  return Value::of(BraceFormat(runtime, format, positional, names, named).run());
}

}  // namespace hone::jinja
