#pragma once

#include "text/normalizer.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// The rewriting rules that SentencePiece compiles into a model (`precompiled_charsmap`): strings and what stands in
/// their place.
///
/// Bytes: the size of the trie as u32, the trie (a double array of u32 units in the layout of darts-clone), then the
/// replacements, each ended by a zero byte. A unit of the trie holds
///
///   bits 0-7   its label                bits 10-30 the offset of its children, shifted by 8 when bit 9 is set
///   bit 8      a string ends here       bit 31     this unit is the value of a string: bits 0-30, where in the
///                                                  replacements its own begins
class PrecompiledMap {
 public:
  /// Error{data} that names `source` when the sizes disagree, the trie leads outside of itself or of the replacements,
  /// or these are not UTF-8.
  PrecompiledMap(std::string_view bytes, const std::string& source);

  struct Match {
    std::size_t length = 0;        ///< of the string, in bytes
    std::string_view replacement;  ///< perhaps empty
  };
  /// The longest string with a replacement that `text` opens with: SentencePiece's rule.
  std::optional<Match> longest(std::string_view text) const;
  /// The shortest one: the rule of the tokenizers library. Ends at a zero byte.
  std::optional<Match> shortest(std::string_view text) const;

  /// A character of this byte alone, followed by nothing that joins it, is replaced.
  bool changes(unsigned char ascii) const { return changes_[ascii]; }
  /// A string that opens with these two bytes may have a replacement.
  bool may_change(unsigned char ascii, unsigned char next) const;

 private:
  std::uint32_t offset(std::uint32_t unit) const { return unit >> 10 << ((unit & 0x200) >> 6); }
  void check(const std::string& source) const;
  /// Calls visit(length, value) for every string that `text` opens with, the shortest first, until it returns false.
  template <class Visit>
  void prefixes(std::string_view text, const Visit& visit) const;
  std::string_view replacement(std::uint32_t value) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
  std::array<bool, 256> changes_{};
};

/// `Precompiled` of tokenizer.json. As the tokenizers library does: a grapheme cluster of at most five bytes is
/// replaced as a whole when a string opens it, else each of its characters by itself.
class PrecompiledNormalizer final : public Normalizer {
 public:
  PrecompiledNormalizer(std::string_view bytes, const std::string& source) : map_(bytes, source) {}

  void normalize(AlignedText& text) const override;
  bool is_surely_normal(std::string_view text) const override;

 private:
  PrecompiledMap map_;
};

}  // namespace hone
