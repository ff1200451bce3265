#pragma once

#include "text/tokenizer.h"

#include <utility>

namespace hone {

enum class TruncationStrategy { longest_first, only_first, only_second };
enum class Side { left, right };

/// The `truncation` section of tokenizer.json. Only the first window is kept, so its stride says nothing.
struct Truncation {
  std::size_t max_length = 512;  ///< with what the post-processor adds
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  Side side = Side::right;  ///< where ids are cut off
};

/// The `padding` section of tokenizer.json.
struct Padding {
  std::optional<std::size_t> fixed;  ///< the length; empty: that of the longest of a batch
  std::size_t multiple_of = 1;
  Side side = Side::right;  ///< where padding stands
  std::int32_t id = 0;
  std::int32_t type_id = 0;
};

/// How many ids of two texts stay so that both together have at most `length`: the longer one is cut first, both alike
/// when even the shorter one is too long.
std::pair<std::size_t, std::size_t> longest_first(std::size_t first, std::size_t second, std::size_t length);

/// Cuts the encodings of one text or of two down to max_length - `added` ids. Error{data} when the strategy cannot.
void truncate(std::vector<EncodedText>& texts, const Truncation& truncation, std::size_t added);
/// Makes all equally long.
void pad(std::vector<EncodedText>& batch, const Padding& padding);

}  // namespace hone
