#pragma once

#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// Replaces `${env:NAME}` and `${env:NAME:-default}` in every scalar below `node`; `$${env:` stands for a literal
/// `${env:`. What results counts as unquoted, so `"${env:STEPS}"` may be a number. A variable that is not set and has
/// no default is a problem at the scalar.
void expand_environment(Node& node, const std::string& path, Problems& problems);

/// The text that expands to `text`.
std::string escape_environment(std::string_view text);

}  // namespace hone
