#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hone {

/// A directed graph whose nodes are the letters a, b, c, … and whose goal is a.
struct WalkGraph {
  std::vector<std::string> next;  ///< of node i: the letters that an edge leads to, ascending

  static char letter(std::size_t node) { return static_cast<char>('a' + node); }
  std::size_t nodes() const { return next.size(); }
};

/// Nodes on the shortest path from each node to the goal, both ends included (1 for the goal itself); 0 where the goal
/// cannot be reached.
std::vector<std::int64_t> shortest_paths(const WalkGraph& graph);

/// The field's task draws its graphs with numpy's generator; seeds 1002 and 1005 with 21 nodes and edge probability 0.1
/// are its usual ones and give exactly those graphs. Any other combination draws from our own generator: each ordered
/// pair of nodes has an edge with the given probability, and a node that got none gets one to a node drawn uniformly.
/// No edge leaves the goal.
WalkGraph seeded_graph(std::uint64_t seed, std::int64_t nodes, double edge_probability);

/// From edges written as two letters ("bc": from b to c). Error{config} names the first edge that is not.
WalkGraph listed_graph(const std::vector<std::string>& edges, std::int64_t nodes);

}  // namespace hone
