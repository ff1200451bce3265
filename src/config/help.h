#pragma once

#include <string>
#include <string_view>

#include "base/fields.h"

namespace hone {

/// What `--help` shows for a dotted path: "" the root, "model" a section, "stages" the kinds, "stages.ppo" or
/// "stage.ppo" the fields of a kind, "model.dim" one field. Error{usage} with the nearest key for another path.
std::string help_text(const Catalogs& catalogs, const Fields::Body& describe, std::string_view path);

}  // namespace hone
