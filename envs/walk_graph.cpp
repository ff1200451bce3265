#include "envs/walk_graph.h"

#include <algorithm>
#include <array>
#include <deque>

#include "base/error.h"
#include "base/random.h"

namespace hone {

namespace {

constexpr std::size_t usual_nodes = 21;
constexpr double usual_probability = 0.1;
using UsualGraph = std::array<const char*, usual_nodes>;

constexpr UsualGraph graph_1002{"",    "a", "ou", "noqu", "jor", "p",   "bq", "n",  "np", "gmqr", "air",
                                "cdu", "h", "b",  "st",   "imn", "kmp", "mp", "en", "b",  "a"};
constexpr UsualGraph graph_1005{"",   "deo", "i", "ch",   "hjqr", "qrt", "fhiors", "abcd", "g",   "fk", "s",
                                "or", "ij",  "j", "aemp", "u",    "i",   "fko",    "dl",   "pqr", "bf"};

}  // namespace

std::vector<std::int64_t> shortest_paths(const WalkGraph& graph) {
  std::vector<std::int64_t> length(graph.nodes(), 0);
  std::deque<std::size_t> frontier{0};
  length[0] = 1;
  while (!frontier.empty()) {
    const std::size_t node = frontier.front();
    frontier.pop_front();
    for (std::size_t from = 0; from < graph.nodes(); ++from) {
      if (length[from] != 0 || graph.next[from].find(WalkGraph::letter(node)) == std::string::npos) continue;
      length[from] = length[node] + 1;
      frontier.push_back(from);
    }
  }
  return length;
}

WalkGraph seeded_graph(std::uint64_t seed, std::int64_t nodes, double edge_probability) {
  if (nodes == static_cast<std::int64_t>(usual_nodes) && edge_probability == usual_probability) {
    if (seed == 1002) return {{graph_1002.begin(), graph_1002.end()}};
    if (seed == 1005) return {{graph_1005.begin(), graph_1005.end()}};
  }
  const auto count = static_cast<std::size_t>(nodes);
  WalkGraph graph{std::vector<std::string>(count)};
  for (std::size_t from = 1; from < count; ++from) {
    Random random(stream_key(seed, "random_walks.graph"), from);
    for (std::size_t to = 0; to < count; ++to) {
      if (to != from && random.uniform() < edge_probability) graph.next[from] += WalkGraph::letter(to);
    }
    if (graph.next[from].empty()) {
      const std::uint64_t to = random.below(count - 1);
      graph.next[from] += WalkGraph::letter(to + (to >= from));
    }
  }
  return graph;
}

WalkGraph listed_graph(const std::vector<std::string>& edges, std::int64_t nodes) {
  WalkGraph graph{std::vector<std::string>(static_cast<std::size_t>(nodes))};
  const char last = WalkGraph::letter(graph.nodes() - 1);
  const auto is_node = [last](char c) { return c >= 'a' && c <= last; };
  for (const std::string& edge : edges) {
    if (edge.size() != 2 || !is_node(edge[0]) || !is_node(edge[1])) {
      fail(ErrorKind::config, "random_walks: edge \"{}\": expected two letters from a to {}, such as \"ba\" for b to a",
           edge, last);
    }
    if (edge[0] == 'a') continue;  // a walk ends at the goal
    std::string& next = graph.next[static_cast<std::size_t>(edge[0] - 'a')];
    if (next.find(edge[1]) == std::string::npos) next += edge[1];
  }
  for (std::string& next : graph.next) std::ranges::sort(next);
  return graph;
}

}  // namespace hone
