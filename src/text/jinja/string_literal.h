#pragma once

#include <string>
#include <string_view>

namespace hone::jinja {

/// The text between the quotes of a string literal, its escapes replaced as Python does; `problem` says what is wrong
/// with one, else it is left empty.
std::string unescaped(std::string_view literal, std::string& problem);

}  // namespace hone::jinja
