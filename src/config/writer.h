#pragma once

#include <string>
#include <vector>

#include "base/fields.h"
#include "config/node.h"

namespace hone {

/// The resolved form of a config struct: every field, in order, none left to a default. Two structs are equal when
/// their resolved forms are.
Node resolved(const Catalogs& catalogs, const Fields::Body& describe);

/// YAML text of a tree that `resolved` made; reading it gives the same tree.
std::string to_yaml(const Node& node);
/// The same on one line: `[1, 2]`, `{a: x}`.
std::string to_yaml_line(const Node& node);

/// Dotted paths at which two resolved forms differ, in their order; a part that only one of them has is named by its
/// own path. Elements of lists are named as in overrides.
std::vector<std::string> differing_keys(const Node& a, const Node& b);

}  // namespace hone
