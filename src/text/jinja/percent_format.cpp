#include <algorithm>
#include <cmath>

#include "text/code_points.h"
#include "text/jinja/characters.h"
#include "text/jinja/dict.h"
#include "text/jinja/number_format.h"
#include "text/jinja/operators.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

class PercentFormat {
 public:
  PercentFormat(Runtime& runtime, const Str& format, Value values)
      : runtime_(runtime), format_(format), view_(format.view()), values_(values), out_(runtime) {}

  const Str* run() {
    for (std::size_t at = 0; at < view_.size();) {
      const std::size_t percent = std::min(view_.find('%', at), view_.size());
      out_.append_part(format_, at, percent);
      at = percent == view_.size() ? percent : directive(percent + 1);
    }
    const bool all = used_ == (values_.is(Kind::tuple) ? values_.items->size : 1);
    const bool has_items = values_.is(Kind::dict) || values_.is(Kind::list) || values_.is(Kind::range) ||
                           values_.is(Kind::undefined);
    if (!all && !has_items) {
      runtime_.fail("format: not all values were used");
    }
    return out_.finish(format_.safe);
  }

 private:
  char peek(std::size_t at) const {
    if (at >= view_.size()) runtime_.fail("format: the text ends inside a %");
    return view_[at];
  }

  Value next() {
    if (values_.is(Kind::tuple)) {
      if (used_ >= values_.items->size) runtime_.fail("format: there are fewer values than %");
      return values_.items->data[used_++];
    }
    if (used_++ > 0) runtime_.fail("format: there are fewer values than %");
    return values_;
  }

  std::int64_t number(std::size_t& at) {
    if (peek(at) == '*') {
      ++at;
      const Value value = next();
      if (!value.is_int()) runtime_.fail("format: * needs an int, not a {}", type_name(value));
      return value.as_int();
    }
    std::int64_t value = 0;
    while (peek(at) >= '0' && peek(at) <= '9') {
      value = value * 10 + (view_[at++] - '0');
      runtime_.check_string_size(static_cast<std::size_t>(value));
    }
    return value;
  }

  /// One directive behind its %; gives where it ends.
  std::size_t directive(std::size_t at) {
    FormatSpec spec;
    Value named;
    bool has_name = false;
    if (peek(at) == '(') {
      const std::size_t close = view_.find(')', at);
      if (close == view_.npos) runtime_.fail("format: %( is not closed");
      if (!values_.is(Kind::dict)) runtime_.fail("format: %(name) needs a dict");
      const Value* value = find_in(*values_.dict, view_.substr(at + 1, close - at - 1));
      if (value == nullptr) runtime_.fail("format: the dict has no '{}'", view_.substr(at + 1, close - at - 1));
      named = *value;
      has_name = true;
      at = close + 1;
    }
    for (;; ++at) {
      const char flag = peek(at);
      if (flag == '-') spec.align = '<';
      else if (flag == '+') spec.sign = '+';
      else if (flag == ' ') spec.sign = spec.sign == '+' ? '+' : ' ';
      else if (flag == '0') spec.zero = true;
      else if (flag == '#') spec.alternate = true;
      else break;
    }
    spec.width = number(at);
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = -spec.width;
    }
    if (peek(at) == '.') spec.precision = std::max<std::int64_t>(0, number(++at));
    while (peek(at) == 'l' || view_[at] == 'h' || view_[at] == 'L') ++at;
    spec.type = peek(at);
    if (spec.type == '%') out_.append("%");
    else convert(has_name ? named : next(), spec);
    return at + 1;
  }

  void convert(Value value, FormatSpec spec) {
    if (spec.align == '<') spec.zero = false;
    if (spec.type == 's' || spec.type == 'r' || spec.type == 'a') {
      text(value, spec);
    } else if (spec.type == 'c') {
      character(value, spec);
    } else {
      append(padded(runtime_, numeric(value, spec), spec, true), value);
    }
  }

  void text(Value value, FormatSpec spec) {
    if (spec.type == 'a') runtime_.fail("format: %a is not supported");
    const Str* text = spec.type == 's' ? to_str(runtime_, value)
                                       : make_str(runtime_, repr(runtime_, value),
                                                  holds_data(runtime_, value) ? from_data : 0);
    if (spec.precision >= 0) {
      text = part(runtime_, *text, 0, offset_of_point(text->view(), static_cast<std::size_t>(spec.precision)));
    }
    const std::string spaces(static_cast<std::size_t>(std::max<std::int64_t>(
                                 0, spec.width - length_of(Value::of(text)))), ' ');
    if (spec.align != '<') out_.append(spaces);
    out_.append(*text);
    if (spec.align == '<') out_.append(spaces);
  }

  void character(Value value, const FormatSpec& spec) {
    std::string one;
    if (value.is_string() && length_of(value) == 1) one = value.text();
    else if (value.is_int() && value.as_int() >= 0 && value.as_int() < 0xD800) {
      append_utf8(one, static_cast<char32_t>(value.as_int()));
    } else {
      runtime_.fail("format: %c needs a character");
    }
    FormatSpec right = spec;
    if (right.align == '\0') right.align = '>';
    right.zero = false;
    append(padded(runtime_, one, right, false), value);
  }

  std::string numeric(Value value, FormatSpec& spec) {
    if (value.is(Kind::undefined)) fail_undefined(runtime_, value);
    if (!value.is_number()) runtime_.fail("format: %{} needs a number, not a {}", spec.type, type_name(value));
    if (spec.type == 'i' || spec.type == 'u') spec.type = 'd';
    if (spec.type == 'd' && value.is(Kind::real)) {
      if (!(std::abs(value.real) < 9.2e18)) runtime_.fail("format: %d of a value that does not fit 64 bits");
      value = Value::of(static_cast<std::int64_t>(value.real));
    }
    if (std::string_view("dxXo").find(spec.type) == std::string_view::npos) return format_number(runtime_, value, spec);
    FormatSpec whole = spec;
    whole.precision = -1;
    std::string digits = format_number(runtime_, value, whole);
    if (spec.precision > 0) {  // at least that many digits
      FormatSpec zeros = whole;
      zeros.zero = true;
      zeros.width = spec.precision + (digits.find_first_of("+- ") == 0 ? 1 : 0);
      zeros.align = '\0';
      digits = padded(runtime_, digits, zeros, true);
    }
    return digits;
  }

  void append(std::string_view text, Value value) {
    out_.append(text, holds_data(runtime_, value) ? from_data : 0);
  }

  Runtime& runtime_;
  const Str& format_;
  std::string_view view_;
  Value values_;
  TextBuilder out_;
  std::size_t used_ = 0;
};

}  // namespace

Value percent_format(Runtime& runtime, const Str& format, Value values) {
  runtime.spend_bytes(format.size);
  return Value::of(PercentFormat(runtime, format, values).run());
}

}  // namespace hone::jinja
