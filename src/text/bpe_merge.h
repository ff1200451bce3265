#pragma once

#include "text/pair_table.h"

#include <cstddef>
#include <cstdint>

namespace hone {

/// The merging core of BPE: of `count` neighbouring symbols, the pair of the lowest rank (the leftmost of equals)
/// becomes one, until no pair has a rank. `ends[i]` is where symbol i ends in the text. Returns how many are left, at
/// the front of both arrays. Time O(count log count).
std::size_t merge_symbols(const PairTable& merges, std::int32_t* ids, std::uint32_t* ends, std::size_t count);

}  // namespace hone
