#include <algorithm>
#include <cmath>
#include <iterator>

#include "text/code_points.h"
#include "text/jinja/dict.h"
#include "text/jinja/print.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

class Dumper {
 public:
  Dumper(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style) {}

  std::string take() { return std::move(out_); }

  void value(Value value) {
    const Nested level(runtime_);
    runtime_.spend(1);
    runtime_.check_string_size(out_.size());
    switch (value.kind) {
      case Kind::none: out_ += "null"; break;
      case Kind::boolean: out_ += value.boolean ? "true" : "false"; break;
      case Kind::integer: fmt::format_to(std::back_inserter(out_), "{}", value.integer); break;
      case Kind::real: out_ += real(value.real); break;
      case Kind::string: text(value.text()); break;
      case Kind::list:
      case Kind::tuple: items(value.items->span()); break;
      case Kind::dict: members(*value.dict); break;
      default: runtime_.fail("tojson: a {} cannot be written as JSON", type_name(value));
    }
  }

 private:
  static std::string real(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return repr_real(value);
  }

  void escape(unsigned unit) { fmt::format_to(std::back_inserter(out_), "\\u{:04x}", unit); }

  void text(std::string_view text) {
    runtime_.spend_bytes(text.size());
    out_ += '"';
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const auto point = static_cast<unsigned>(next_code_point(text, at));
      switch (point) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        case '\f': out_ += "\\f"; break;
        case '\b': out_ += "\\b"; break;
        default:
          if (point < 0x20 || (style_.ascii && point >= 0x7F && point < 0x10000)) {
            if (point == 0x7F) out_ += '\x7F';
            else escape(point);
          } else if (style_.ascii && point >= 0x10000) {
            escape(0xD800 + ((point - 0x10000) >> 10));
            escape(0xDC00 + (point & 0x3FF));
          } else {
            out_ += text.substr(begin, at - begin);
          }
      }
    }
    out_ += '"';
  }

  void new_line() {
    if (!style_.indented) return;
    out_ += '\n';
    runtime_.check_string_size(out_.size() + style_.indent.size() * static_cast<std::size_t>(depth_));
    for (int i = 0; i < depth_; ++i) out_ += style_.indent;
  }

  void items(std::span<const Value> items) {
    if (items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    ++depth_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line();
      value(items[i]);
    }
    --depth_;
    new_line();
    out_ += ']';
  }

  void key(Value key) {
    switch (key.kind) {
      case Kind::string: text(key.text()); break;
      case Kind::none: out_ += "\"null\""; break;
      case Kind::boolean: out_ += key.boolean ? "\"true\"" : "\"false\""; break;
      case Kind::integer: fmt::format_to(std::back_inserter(out_), "\"{}\"", key.integer); break;
      case Kind::real: out_ += '"' + real(key.real) + '"'; break;
      default: runtime_.fail("tojson: a {} cannot be the key of a JSON object", type_name(key));
    }
  }

  void members(const Dict& dict) {
    if (dict.size == 0) {
      out_ += "{}";
      return;
    }
    std::vector<std::size_t> order(dict.size);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (style_.sort_keys) {
      std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return compare(runtime_, dict.keys[a], dict.keys[b]) < 0;
      });
    }
    out_ += '{';
    ++depth_;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line();
      key(dict.keys[order[i]]);
      out_ += style_.key_separator;
      value(dict.values[order[i]]);
    }
    --depth_;
    new_line();
    out_ += '}';
  }

  Runtime& runtime_;
  const JsonStyle& style_;
  std::string out_;
  int depth_ = 0;
};

}  // namespace

std::string dump_json(Runtime& runtime, Value value, const JsonStyle& style) {
  Dumper dumper(runtime, style);
  dumper.value(value);
  return dumper.take();
}

}  // namespace hone::jinja
