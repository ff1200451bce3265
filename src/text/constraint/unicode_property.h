#pragma once

#include <string_view>

#include "text/constraint/code_point_set.h"

namespace hone {

/// The code points with a Unicode property as PCRE2 spells them in \p{…}: "L", "Lu", "Nd", "Han", "Latin".
/// Error{config} for a name that PCRE2 does not know.
CodePointSet unicode_property(std::string_view name);

}  // namespace hone
