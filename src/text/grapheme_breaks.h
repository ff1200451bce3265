#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hone {

/// Where the extended grapheme cluster that begins at `at` ends (UAX #29, revision of Unicode 17). `text` is valid
/// UTF-8; `at` < its size is the end of another cluster or 0.
std::size_t grapheme_end(std::string_view text, std::size_t at);

/// Grapheme_Cluster_Break, and what the rules GB9c and GB11 ask beside it.
enum class GraphemeClass : std::uint8_t {
  other,
  cr,
  lf,
  control,
  extend,           ///< Indic_Conjunct_Break None
  extend_linker,    ///< … Linker
  extend_conjunct,  ///< … Extend
  zwj,              ///< U+200D
  regional_indicator,
  prepend,
  spacing_mark,
  hangul_l,
  hangul_v,
  hangul_t,
  hangul_lv,     ///< not in the table
  hangul_lvt,    ///< not in the table
  pictographic,  ///< Extended_Pictographic
  conjunct,      ///< Indic_Conjunct_Break Consonant
};

/// Code points [first, last] of a class; the table has them in order and leaves out `other` and Hangul syllables.
struct GraphemeRange {
  char32_t first;
  char32_t last;
  GraphemeClass kind;
};
std::span<const GraphemeRange> grapheme_ranges();

}  // namespace hone
