#pragma once

#include <filesystem>

#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// Reads a file and, when it says `extends: other.yaml` (relative to itself), what it extends, and lays it over that.
/// The result has no `extends`; every value keeps the mark of the file in which it stands. A chain that comes back to
/// a file is an error, and so is an empty file.
Node read_with_bases(const std::filesystem::path& path, Problems& problems);

/// Lays `over` on `base`. Maps merge key by key, but a map whose `kind` differs replaces the other one. Lists whose
/// elements all have a `name` or `kind` merge element by element under that name, new elements follow. Anything else is
/// replaced.
void lay_over(Node& base, Node over);

}  // namespace hone
