#pragma once

#include <array>
#include <string_view>

/// How files and plug-ins spell the enumerations of flow/types.h, in the order of their enumerators.
namespace hone {

inline constexpr std::array<std::string_view, 4> finish_names = {"stop", "length", "env", "abort"};
inline constexpr std::array<std::string_view, 3> score_status_names = {"ok", "abstain", "error"};

}  // namespace hone
