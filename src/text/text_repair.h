#pragma once

#include "text/aligned_text.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// Broken UTF-8 made valid (valid_utf8), with the way there and back for places.
class TextRepair {
 public:
  explicit TextRepair(std::string_view text);

  const std::string& text() const { return text_; }
  /// Where the bytes of a range of the broken text are in the valid one.
  TextRange forward(TextRange range) const;
  /// The inverse.
  TextRange back(TextRange range) const;

 private:
  /// From here on the two texts run in parallel, up to the next border.
  struct Border {
    std::size_t broken;
    std::size_t valid;
  };
  std::vector<Border> borders_;
  std::string text_;
};

/// The ranges of `text` (aligned) whose bytes come from one of `ranges`: ascending, disjoint.
std::vector<TextRange> bytes_from(const AlignedText& text, std::span<const TextRange> ranges);

}  // namespace hone
