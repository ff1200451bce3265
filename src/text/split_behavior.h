#pragma once

#include "text/aligned_text.h"

#include <vector>

namespace hone {

/// What becomes of the matches that a piece is split at.
enum class SplitBehavior {
  removed,               ///< they go
  isolated,              ///< each is a piece
  merged_with_previous,  ///< each joins the piece before it
  merged_with_next,      ///< each joins the piece after it
  contiguous,            ///< neighbouring matches are one piece
};

/// A stretch of a piece; all of them together are the piece. Empty matches are stretches too.
struct Stretch {
  TextRange range;
  bool is_match = false;
};

/// The stretches of [begin, end) for matches in ascending order.
void append_stretches(TextRange whole, const std::vector<TextRange>& matches, std::vector<Stretch>& stretches);
/// Appends the pieces that the stretches make; changes `stretches`.
void append_pieces(std::vector<Stretch>& stretches, SplitBehavior behavior, std::vector<TextRange>& pieces);

}  // namespace hone
