#pragma once

#include <cstdint>

#include "kernels/sample/truncation.h"

namespace hone::kernels {

/// Place of a token in the ranking by descending logit, equals by ascending id.
struct Rank {
  float logit;
  std::int32_t id;
};

inline bool ranks_before(const Rank& a, const Rank& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/// Last rank of the shortest front of the ranking that holds `count` ≥ 1 tokens, or of all of them.
Rank front_by_count(const Candidates& candidates, std::int64_t count);
/// … whose mass reaches `mass`; at least one token.
Rank front_by_mass(const Candidates& candidates, double mass);

}  // namespace hone::kernels
