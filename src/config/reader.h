#pragma once

#include "base/fields.h"
#include "config/node.h"
#include "config/problems.h"

namespace hone {

/// Fills the config struct behind `describe` from `root`. Fields that the file does not name keep their defaults.
/// Everything wrong is added to `problems`: unknown keys, wrong types, values out of bounds, missing required keys,
/// unknown choices and kinds, repeated names, broken rules (`check`; left out where a field beside it is wrong already,
/// since the rule would judge a default).
void read_fields(const Node& root, const Catalogs& catalogs, const Fields::Body& describe, Problems& problems);

}  // namespace hone
