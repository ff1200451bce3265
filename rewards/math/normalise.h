#pragma once

#include <string>
#include <string_view>

namespace hone::math {

/// One way to write what has several: Unicode signs as LaTeX commands, no `$`, no \left and \right, no \boxed around
/// the whole, no spacing commands, \frac for \dfrac and \tfrac, \degree for ^\circ, one space for many, no full stop
/// at the end.
std::string normalised(std::string_view text);

}  // namespace hone::math
