#include "text/jinja/print.h"

#include <cmath>

#include "base/utf8.h"
#include "text/jinja/characters.h"
#include "text/jinja/dict.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace hone::jinja {

namespace {

class Printer {
 public:
  explicit Printer(Runtime& runtime) : runtime_(runtime) {}

  std::string take() { return std::move(out_); }

  void value(Value value) {
    const Nested level(runtime_);
    runtime_.spend(1);
    runtime_.check_string_size(out_.size());
    switch (value.kind) {
      case Kind::undefined: out_ += "Undefined"; break;
      case Kind::none: out_ += "None"; break;
      case Kind::boolean: out_ += value.boolean ? "True" : "False"; break;
      case Kind::integer: fmt::format_to(std::back_inserter(out_), "{}", value.integer); break;
      case Kind::real: out_ += repr_real(value.real); break;
      case Kind::string: text(*value.string); break;
      case Kind::list: items("[", value.items->span(), "]"); break;
      case Kind::tuple: items("(", value.items->span(), value.items->size == 1 ? ",)" : ")"); break;
      case Kind::dict: pairs(value.dict->keys, value.dict->values, value.dict->size); break;
      case Kind::view: view(value); break;
      case Kind::range: range(*value.range); break;
      case Kind::name_space:
        out_ += "<Namespace ";
        pairs(value.name_space->keys, value.name_space->values, value.name_space->size);
        out_ += '>';
        break;
      case Kind::macro: macro(*value.macro); break;
      case Kind::loop:
        fmt::format_to(std::back_inserter(out_), "<LoopContext {}/{}>", value.loop->index0 + 1, value.loop->size);
        break;
      default:
        runtime_.fail("a {} cannot be printed: Python would show its address (a generator becomes a list with |list)",
                      type_name(value));
    }
  }

 private:
  void text(const Str& text) {
    runtime_.spend_bytes(text.size);
    if (text.safe) out_ += "Markup(";
    append_repr(out_, text.view());
    if (text.safe) out_ += ')';
  }

  void items(std::string_view open, std::span<const Value> items, std::string_view close) {
    out_ += open;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      value(items[i]);
    }
    out_ += close;
  }

  void pairs(const Value* keys, const Value* values, std::size_t size) {
    out_ += '{';
    for (std::size_t i = 0; i < size; ++i) {
      if (i > 0) out_ += ", ";
      value(keys[i]);
      out_ += ": ";
      value(values[i]);
    }
    out_ += '}';
  }

  void view(Value view) {
    constexpr std::string_view names[] = {"dict_keys([", "dict_values([", "dict_items(["};
    items(names[static_cast<std::size_t>(view.view->kind)], iterate(runtime_, view), "])");
  }

  void range(const Range& range) {
    fmt::format_to(std::back_inserter(out_), "range({}, {}", range.start, range.stop);
    if (range.step != 1) fmt::format_to(std::back_inserter(out_), ", {}", range.step);
    out_ += ')';
  }

  void macro(const Macro& macro) {
    out_ += "<Macro ";
    if (macro.definition->name == nullptr) out_ += "anonymous";
    else append_repr(out_, macro.definition->name->view());
    out_ += '>';
  }

  Runtime& runtime_;
  std::string out_;
};

/// Broken bytes become U+FFFD: texts are valid UTF-8 everywhere else.
const Str* borrow_text(Runtime& runtime, std::string_view text, std::uint8_t flags) {
  if (first_invalid_utf8(text) == text.npos) return borrow_str(runtime, text, flags);
  return make_str(runtime, valid_utf8(text), flags);
}

}  // namespace

std::string repr_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string repr(Runtime& runtime, Value value) {
  Printer printer(runtime);
  printer.value(value);
  return printer.take();
}

const Str* to_str(Runtime& runtime, Value value) {
  static constexpr Str empty;
  if (value.is_string()) return value.string;
  if (value.is(Kind::undefined)) return &empty;
  return make_str(runtime, repr(runtime, value), holds_data(runtime, value) ? from_data : 0);
}

void append_str(Runtime& runtime, TextBuilder& out, Value value) {
  if (value.is_string()) {
    runtime.spend_bytes(value.string->size);
    out.append(*value.string);
  } else if (!value.is(Kind::undefined)) {
    out.append(repr(runtime, value), holds_data(runtime, value) ? from_data : 0);
  }
}

Value from_json(Runtime& runtime, const Json& json, std::uint8_t flags) {
  const bool data = (flags & from_data) != 0;
  if (json.is_bool()) return Value::of(json.as_bool(), data);
  if (json.is_integer()) return Value::of(json.as_integer(), data);
  if (json.is_number()) return Value::of(json.as_number(), data);
  if (json.is_string()) return Value::of(borrow_text(runtime, json.as_string(), flags));
  const Nested level(runtime);
  if (json.is_array()) {
    const Json::Array& array = json.as_array();
    Value* items = runtime.array<Value>(array.size());
    for (std::size_t i = 0; i < array.size(); ++i) items[i] = from_json(runtime, array[i], flags);
    return Value::of(Kind::list, runtime.make<Items>(items, array.size()), data);
  }
  if (json.is_object()) {
    DictBuilder dict(runtime);
    for (const auto& [key, member] : json.as_object()) {
      dict.set(Value::of(borrow_text(runtime, key, flags)), from_json(runtime, member, flags));
    }
    return dict.finish(data);
  }
  return Value::none();
}

}  // namespace hone::jinja
