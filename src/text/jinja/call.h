#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "text/jinja/value.h"

namespace hone::jinja {

struct Named {
  const Str* name;
  Value value;
};

/// The arguments of one call.
struct Arguments {
  std::span<const Value> positional;
  std::span<const Named> named;

  /// An argument by its name, or nullptr.
  const Value* find(std::string_view name) const {
    for (const Named& argument : named) {
      if (argument.name->view() == name) return &argument.value;
    }
    return nullptr;
  }
};

using FilterFunction = Value (*)(Runtime&, Value, const Arguments&);
using TestFunction = bool (*)(Runtime&, Value, const Arguments&);
using MethodFunction = Value (*)(Runtime&, Value self, const Arguments&);
using GlobalFunction = Value (*)(Runtime&, const Arguments&);

/// Gives arguments to parameters, asked for in the order of their declaration, as Python does.
class Parameters {
 public:
  Parameters(Runtime& runtime, std::string_view callee, const Arguments& arguments)
      : runtime_(runtime), callee_(callee), arguments_(arguments) {}

  Value required(std::string_view name);
  Value optional(std::string_view name, Value fallback);
  /// Whole numbers; fails for other values.
  std::int64_t integer(std::string_view name, std::int64_t fallback);
  bool boolean(std::string_view name, bool fallback);
  /// Fails when an argument was not asked for.
  void end();

 private:
  const Value* next(std::string_view name);

  Runtime& runtime_;
  std::string_view callee_;
  const Arguments& arguments_;
  std::size_t positional_ = 0;
  std::size_t named_ = 0;
};

struct Method {
  Value self;
  std::string_view name;
  MethodFunction call;
};
struct Global {
  std::string_view name;
  GlobalFunction call;
};

/// nullptr when there is none of that name.
FilterFunction find_filter(std::string_view name);
TestFunction find_test(std::string_view name);
const Global* find_global(std::string_view name);
/// The attribute that Python finds on the type of `object` (methods, `real`, …): false when there is none.
bool find_attribute(Runtime& runtime, Value object, const Str* name, Value& result);

/// Why a filter of Jinja2 is not here ("it draws random numbers"), or an empty text.
std::string_view why_no_filter(std::string_view name);

}  // namespace hone::jinja
