#pragma once

#include <cstdint>
#include <vector>

#include "text/constraint/code_point_set.h"

namespace hone {

/// One byte of first…last leads to a node.
struct ByteEdge {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  std::int32_t target = 0;
  bool operator==(const ByteEdge&) const = default;
  auto operator<=>(const ByteEdge&) const = default;
};

/// The UTF-8 spellings of a set of code points as a graph without cycles whose equal parts are shared. Node 0 is the
/// exit; the edges of a node lead to nodes before it; `root` is the last node, or the exit when the set is empty.
struct Utf8Graph {
  std::vector<std::vector<ByteEdge>> nodes;
  std::int32_t root = 0;
};

Utf8Graph utf8_graph(const CodePointSet& set);

}  // namespace hone
