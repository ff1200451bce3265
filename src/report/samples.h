#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "flow/types.h"

namespace hone {

/// Episodes for people to read:
///
///     ppo: samples after
///
///       prompt      37+58=
///       completion  95
///       reward      1   exact_match 1
///
/// Turns come one after the other with the environment's replies between them; a failed or abstaining score shows its
/// note. `colour` dims the labels.
std::string samples_text(std::string_view title, std::span<const Episode> episodes, bool colour);

/// Text that cannot disturb a terminal: control characters as \x1b, line ends indented by `indent` spaces, at most
/// `most` code points.
std::string harmless(std::string_view text, std::size_t indent, std::size_t most);

}  // namespace hone
