#include "text/split_behavior.h"

#include <algorithm>

namespace hone {
namespace {

/// Joins a match to the stretch before it. `reversed`: the stretches run from right to left.
void merge_matches(std::vector<Stretch>& stretches, bool reversed) {
  std::vector<Stretch> merged;
  bool after_match = false;
  for (const Stretch& stretch : stretches) {
    if (stretch.is_match && !after_match && !merged.empty()) {
      if (reversed) {
        merged.back().range.begin = stretch.range.begin;
      } else {
        merged.back().range.end = stretch.range.end;
      }
    } else {
      merged.push_back(stretch);
    }
    after_match = stretch.is_match;
  }
  stretches = std::move(merged);
}

void join_equals(std::vector<Stretch>& stretches) {
  std::vector<Stretch> joined;
  bool after_match = false;
  for (const Stretch& stretch : stretches) {
    if (stretch.is_match == after_match && !joined.empty()) {
      joined.back().range.end = stretch.range.end;
    } else {
      joined.push_back(stretch);
    }
    after_match = stretch.is_match;
  }
  stretches = std::move(joined);
}

}  // namespace

void append_stretches(TextRange whole, const std::vector<TextRange>& matches, std::vector<Stretch>& stretches) {
  std::size_t done = whole.begin;
  for (const TextRange match : matches) {
    if (done != match.begin) stretches.push_back({{done, match.begin}, false});
    stretches.push_back({match, true});
    done = match.end;
  }
  if (done != whole.end) stretches.push_back({{done, whole.end}, false});
}

void append_pieces(std::vector<Stretch>& stretches, SplitBehavior behavior, std::vector<TextRange>& pieces) {
  switch (behavior) {
    case SplitBehavior::removed:
      std::erase_if(stretches, [](const Stretch& stretch) { return stretch.is_match; });
      break;
    case SplitBehavior::isolated:
      break;
    case SplitBehavior::merged_with_previous:
      merge_matches(stretches, false);
      break;
    case SplitBehavior::merged_with_next:
      std::reverse(stretches.begin(), stretches.end());
      merge_matches(stretches, true);
      std::reverse(stretches.begin(), stretches.end());
      break;
    case SplitBehavior::contiguous:
      join_equals(stretches);
      break;
  }
  for (const Stretch& stretch : stretches) {
    if (stretch.range.begin < stretch.range.end) pieces.push_back(stretch.range);
  }
}

}  // namespace hone
