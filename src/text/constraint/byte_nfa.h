#pragma once

#include <cstdint>
#include <vector>

#include "text/constraint/regex_tree.h"
#include "text/constraint/utf8_graph.h"

namespace hone {

/// A nondeterministic automaton over bytes (Thompson's construction). A state either reads one byte along an edge or
/// goes on without reading.
struct ByteNfa {
  struct State {
    std::vector<ByteEdge> edges;
    std::int32_t next[2] = {-1, -1};  ///< without reading; only where there are no edges
  };
  std::vector<State> states;
  std::int32_t start = 0;
  std::int32_t accept = 0;
};

/// Error{config} when the automaton would have more than 200,000 states.
ByteNfa build_nfa(const RegexNode& root);

}  // namespace hone
