#pragma once

#include <span>
#include <string>

#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// Applies `key.path=value` from the command line. The value is YAML. A part of the path that meets a list names an
/// element by its name or, where no name fits, by its index from 0; other parts name keys and make what is missing, so
/// that a wrong key is found, with its nearest neighbour, by the reader. Marks say "command line: key.path=value".
void apply_override(Node& root, const std::string& override_text, Problems& problems);
void apply_overrides(Node& root, std::span<const std::string> overrides, Problems& problems);

}  // namespace hone
