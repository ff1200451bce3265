#pragma once

#include <memory>
#include <string_view>

#include "text/jinja/ast.h"
#include "text/jinja/limits.h"

namespace hone::jinja {

/// Parses a template (valid UTF-8). Error{data} with `where` and the line for what Jinja2 would not compile, for what is
/// not supported, named, and for what exceeds the limits of text and nesting.
std::shared_ptr<const Program> parse(std::string_view source, std::string_view where, const Limits& limits);

}  // namespace hone::jinja
