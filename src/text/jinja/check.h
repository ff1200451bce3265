#pragma once

#include <string_view>

#include "text/jinja/ast.h"

namespace hone::jinja {

/// Error{data} for filters and tests that do not exist. Inside `if` and conditional expressions they fail only when they
/// are reached, as in Jinja2: templates test there for what an implementation offers.
void check_names(const Body& body, std::string_view where);

[[noreturn]] void fail_unknown_filter(std::string_view where, int line, std::string_view name);
[[noreturn]] void fail_unknown_test(std::string_view where, int line, std::string_view name);

}  // namespace hone::jinja
