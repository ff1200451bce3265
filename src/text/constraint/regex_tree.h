#pragma once

#include <limits>
#include <vector>

#include "text/constraint/code_point_set.h"

namespace hone {

/// A regular expression as a tree.
struct RegexNode {
  enum class Kind {
    set,     ///< one code point of `set`
    all,     ///< the children one after another; none: the empty text
    any,     ///< one of the children
    repeat,  ///< the only child, `least` to `most` times
  };
  static constexpr int kUnbounded = std::numeric_limits<int>::max();

  Kind kind = Kind::all;
  CodePointSet set;
  std::vector<RegexNode> children;
  int least = 0;
  int most = 0;
};

}  // namespace hone
