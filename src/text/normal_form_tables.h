#pragma once

#include <cstdint>
#include <span>

/// The tables are written by tools/golden/unicode_tables.py, from the answers of the tokenizers library.
namespace hone {

/// Code points of [first, last] have this canonical combining class.
struct CombiningRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint8_t combining_class;
};
std::span<const CombiningRange> combining_ranges();  ///< ascending; classes other than 0

/// The canonical decomposition of `composed` in one step.
struct Decomposition {
  std::uint32_t composed;
  std::uint32_t first;
  std::uint32_t second;  ///< 0: `first` alone (a singleton)
};
/// Both ascending by `composed`; Hangul syllables are not listed.
std::span<const Decomposition> compositions();          ///< those that form C puts together again
std::span<const Decomposition> other_decompositions();  ///< those that it leaves apart

/// Rows of a code point, a count and that many code points: its decomposition in form KD, where that is not form D.
std::span<const std::uint32_t> compatibility_first();
std::span<const std::uint32_t> compatibility_second();

}  // namespace hone
