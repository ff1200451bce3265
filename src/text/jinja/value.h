#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "text/jinja/text.h"

namespace hone::jinja {

class Runtime;
struct Value;
struct MacroDefinition;
struct Scope;
struct Arguments;

enum class Kind : std::uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  string,
  list,
  tuple,
  dict,
  view,       ///< of a dict: keys(), values(), items()
  range,
  iterator,   ///< Python's generators: what map, select and their like give; gives its items once
  name_space, ///< namespace(): the one thing with attributes that templates assign
  macro,
  method,     ///< a method with the object it belongs to
  function,   ///< a global
  loop,
  cycler,
  joiner,
};

struct Items {
  const Value* data = nullptr;
  std::size_t size = 0;
  bool group = false;  ///< a tuple of groupby: also has .grouper and .list
  std::span<const Value> span() const;
};

/// Keys in the order of their insertion. Immutable, like all containers: the sandbox forbids changing them.
struct Dict {
  const Value* keys = nullptr;
  const Value* values = nullptr;
  std::size_t size = 0;
  const std::uint32_t* slots = nullptr;  ///< hash table of places + 1 (0: free), or nullptr when there are few keys
  std::size_t slot_mask = 0;
};

enum class ViewKind : std::uint8_t { keys, values, items };
struct View {
  const Dict* dict;
  ViewKind kind;
};

struct Range {
  std::int64_t start, stop, step, size;
};

struct Iterator {
  const Value* data;
  std::size_t size;
  std::size_t at;
  const Str* error = nullptr;  ///< what the first use of the items fails with, as in Python: generators are lazy
};

struct NameSpace {
  Value* keys = nullptr;
  Value* values = nullptr;
  std::size_t size = 0;
  std::size_t capacity = 0;
};

struct Loop;
struct Method;
struct Global;
struct Cycler;
struct Joiner;
struct Macro;

/// Why a value is undefined, for the error of whoever uses it.
struct Undefined {
  const Str* name = nullptr;
  std::string_view owner;  ///< type of the object without that attribute
  std::string_view hint;   ///< instead of both
};

/// A value of a template: what Python would hold. 16 bytes, copied freely; what it points to lives as long as the
/// rendering, or the template for its constants. `data`: made from messages, tools or other input (texts know it by
/// byte).
struct Value {
  Kind kind = Kind::undefined;
  bool data = false;
  union {
    bool boolean;
    std::int64_t integer;
    double real;
    const Str* string;
    const Items* items;
    const Dict* dict;
    const View* view;
    const Range* range;
    Iterator* iterator;
    NameSpace* name_space;
    const Macro* macro;
    const Method* method;
    const Global* function;
    Loop* loop;
    Cycler* cycler;
    Joiner* joiner;
    const Undefined* undefined = nullptr;
  };

  bool is(Kind other) const { return kind == other; }
  bool is_string() const { return kind == Kind::string; }
  /// Python's int: booleans too.
  bool is_int() const { return kind == Kind::integer || kind == Kind::boolean; }
  bool is_number() const { return is_int() || kind == Kind::real; }
  bool is_sequence() const { return kind == Kind::list || kind == Kind::tuple; }
  std::int64_t as_int() const { return kind == Kind::boolean ? (boolean ? 1 : 0) : integer; }
  double as_real() const { return kind == Kind::real ? real : static_cast<double>(as_int()); }
  std::string_view text() const { return string->view(); }

  static Value none() {
    Value value;
    value.kind = Kind::none;
    return value;
  }
  static Value of(bool boolean, bool data = false) {
    Value value;
    value.kind = Kind::boolean, value.data = data, value.boolean = boolean;
    return value;
  }
  static Value of(std::int64_t integer, bool data = false) {
    Value value;
    value.kind = Kind::integer, value.data = data, value.integer = integer;
    return value;
  }
  static Value of(double real, bool data = false) {
    Value value;
    value.kind = Kind::real, value.data = data, value.real = real;
    return value;
  }
  static Value of(const Str* string) {
    Value value;
    value.kind = Kind::string, value.string = string;
    return value;
  }
  static Value of(Kind kind, const Items* items, bool data) {
    Value value;
    value.kind = kind, value.data = data, value.items = items;
    return value;
  }
  static Value of(const Dict* dict, bool data) {
    Value value;
    value.kind = Kind::dict, value.data = data, value.dict = dict;
    return value;
  }
  static Value of(const Undefined* undefined) {
    Value value;
    value.undefined = undefined;
    return value;
  }
};

inline std::span<const Value> Items::span() const { return {data, size}; }

/// "str", "list", …: Python's name of the type, for errors.
std::string_view type_name(Value value);

bool truth(Value value);
/// Fails with what is undefined, when `value` is.
[[noreturn]] void fail_undefined(Runtime& runtime, Value value);

Value undefined_named(Runtime& runtime, std::string_view name);
Value undefined_attribute(Runtime& runtime, Value owner, const Str* name);
Value undefined_hint(std::string_view hint, Runtime& runtime);

/// A list or tuple of copies of these values; data when one of them is, or when `data`.
Value make_items(Runtime& runtime, Kind kind, std::span<const Value> values, bool data = false);
/// Sets an attribute of a namespace.
void set_attribute(Runtime& runtime, NameSpace& space, const Str* name, Value value);
Value make_iterator(Runtime& runtime, std::span<const Value> values);

/// The items that iterating over `value` gives: keys of dicts, characters of texts. An iterator is used up by it. Fails
/// for what cannot be iterated over.
std::span<const Value> iterate(Runtime& runtime, Value value);
/// Python's len(); -1 where there is none.
std::int64_t length_of(Value value);

/// Python's ==.
bool equal(Runtime& runtime, Value a, Value b);
/// Python's order: negative, 0 or positive; fails for values that have none.
int compare(Runtime& runtime, Value a, Value b);
/// Python's `item in container`.
bool contains(Runtime& runtime, Value container, Value item);

/// Whether anything in `value` was made from input.
bool holds_data(Runtime& runtime, Value value);

}  // namespace hone::jinja
