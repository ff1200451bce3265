#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Walks on a small random graph, to be turned into shortest paths to the goal, node a. The task of Chen et al.,
/// "Decision Transformer" (2021), as RLHF libraries use it: 21 nodes, walks of at most 10 nodes.
///
///     "k"  →  "hpa" is the walk k h p a      reference {"start", "goal", "shortest", "max_nodes", "next"}
///
/// The prompt is the start, the completion the other nodes, one letter each. `reference.shortest` counts the nodes of
/// the shortest path, both ends included; `reference.next` maps each node to the letters that its edges lead to, so the
/// reward needs nothing else. Training prompts are the starts of `walks` random walks (their demonstrations: each next
/// node uniform among the edges, up to the goal or `max_nodes`); held-out prompts are every start once. The starts are
/// the whole task, so the splits share their texts.
/// A graph from whose starts the goal cannot be reached within `max_nodes` is refused.
class RandomWalksSpec : public EnvironmentSpec {
 public:
  std::int64_t graph_seed = 1002;
  std::int64_t nodes = 21;
  double edge_probability = 0.1;
  std::vector<std::string> edges;
  std::int64_t max_nodes = 10;
  std::int64_t walks = 1000;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
