#include "envs/random_walks.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "envs/walk_graph.h"

namespace hone {

namespace {

Json letters_of(const WalkGraph& graph) {
  Json next = Json::object();
  for (std::size_t node = 0; node < graph.nodes(); ++node) {
    next.set(std::string(1, WalkGraph::letter(node)), graph.next[node]);
  }
  return next;
}

class RandomWalks : public Environment {
 public:
  RandomWalks(const RandomWalksSpec& spec, WalkGraph graph, std::uint64_t seed)
      : graph_(std::move(graph)),
        shortest_(shortest_paths(graph_)),
        next_(letters_of(graph_)),
        max_nodes_(spec.max_nodes),
        walks_(static_cast<std::uint64_t>(spec.walks)),
        key_(stream_key(seed, "random_walks.walk")) {}

  bool single_turn() const override { return true; }
  std::uint64_t size(Split split) const override { return split == Split::train ? walks_ : starts(); }

  Prompt prompt(Split split, std::uint64_t index) const override {
    HONE_ASSERT(index < size(split));
    const std::uint64_t id = prompt_id(split, index);
    const std::uint64_t start = 1 + (split == Split::train ? Random(key_, id, start_stream).below(starts()) : index);
    const std::string text(1, WalkGraph::letter(start));
    Json reference = Json::object();
    reference.set("start", text);
    reference.set("goal", std::string(1, WalkGraph::letter(0)));
    reference.set("shortest", shortest_[start]);
    reference.set("max_nodes", max_nodes_);
    reference.set("next", next_);
    return {.id = id, .split = split, .text = text, .reference = std::move(reference)};
  }

  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    Random random(key_, prompt.id, walk_stream);
    std::string walk = prompt.text;
    while (walk.back() != 'a' && static_cast<std::int64_t>(walk.size()) < max_nodes_) {
      const std::string& next = graph_.next[static_cast<std::size_t>(walk.back() - 'a')];
      walk += next[random.below(next.size())];
    }
    return walk.substr(1);
  }

 private:
  static constexpr std::uint32_t start_stream = 0;
  static constexpr std::uint32_t walk_stream = 1;

  std::uint64_t starts() const { return graph_.nodes() - 1; }

  WalkGraph graph_;
  std::vector<std::int64_t> shortest_;
  Json next_;
  std::int64_t max_nodes_;
  std::uint64_t walks_;
  std::uint64_t key_;
};

}  // namespace

void RandomWalksSpec::describe(Fields& f) {
  f.field("graph_seed", graph_seed,
          "Chooses the graph. 1002 and 1005 are the field's usual graphs; other seeds draw from hone's own generator.",
          at_least(0));
  f.field("nodes", nodes, "Nodes of the graph, the goal among them.", between(2, 26));
  f.field("edge_probability", edge_probability, "Chance of each edge of a drawn graph.",
          Range{.low = 0, .high = 1, .open_low = true});
  f.field("edges", edges, "Edges as two letters (\"ba\": from b to the goal a), instead of a drawn graph.");
  f.field("max_nodes", max_nodes, "Longest walk, counting its start and the goal.", between(3, 1000));
  f.field("walks", walks, "Random walks that make up the training prompts and their demonstrations.", at_least(1));
}

std::unique_ptr<Environment> RandomWalksSpec::make(const Services& services) const {
  WalkGraph graph = edges.empty() ? seeded_graph(static_cast<std::uint64_t>(graph_seed), nodes, edge_probability)
                                  : listed_graph(edges, nodes);
  const std::vector<std::int64_t> shortest = shortest_paths(graph);
  std::string too_far;
  for (std::size_t node = 1; node < graph.nodes(); ++node) {
    if (shortest[node] == 0 || shortest[node] >= max_nodes) {
      too_far += fmt::format("{}{}", too_far.empty() ? "" : ", ", WalkGraph::letter(node));
    }
  }
  if (!too_far.empty()) {
    const std::string source = edges.empty() ? fmt::format("graph_seed {}", graph_seed) : std::string("these edges");
    fail(ErrorKind::config,
         "environment {}: with {} the goal a cannot be reached in fewer than {} nodes from {}; "
         "choose another graph_seed (1002 and 1005 work), more edges or a larger max_nodes",
         name, source, max_nodes, too_far);
  }
  return std::make_unique<RandomWalks>(*this, std::move(graph), services.seed);
}

}  // namespace hone
