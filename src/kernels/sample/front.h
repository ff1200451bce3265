#pragma once

#include <cstdint>

#include "kernels/sample/truncation.h"

namespace hone::kernels {

/// Last rank of the shortest front of the ranking that holds `count` ≥ 1 tokens, or of all of them.
Rank front_by_count(const Candidates& candidates, std::int64_t count);
/// … whose mass reaches `mass`; at least one token.
Rank front_by_mass(const Candidates& candidates, double mass);

}  // namespace hone::kernels
