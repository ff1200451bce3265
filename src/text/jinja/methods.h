#pragma once

#include <span>
#include <string_view>

#include "text/jinja/call.h"

namespace hone::jinja {

/// A method that Python's type has. Without `call`: one that changes its object, which the sandbox forbids (`mutates`),
/// or one that is not here.
struct MethodEntry {
  std::string_view name;
  MethodFunction call = nullptr;
  bool mutates = false;
};

std::span<const MethodEntry> str_methods();
std::span<const MethodEntry> str_tests();  ///< isalpha() and its like
std::span<const MethodEntry> list_methods();
std::span<const MethodEntry> tuple_methods();  ///< also of ranges
std::span<const MethodEntry> dict_methods();

}  // namespace hone::jinja
