#include "text/constraint/byte_nfa.h"

#include <map>

#include "base/error.h"

namespace hone {
namespace {

constexpr std::size_t kMostStates = 200'000;
constexpr std::int64_t kMostParts = 2'000'000;

class Builder {
 public:
  ByteNfa run(const RegexNode& root) {
    nfa_.accept = add({});
    nfa_.start = build(root, nfa_.accept);
    return std::move(nfa_);
  }

 private:
  std::int32_t add(ByteNfa::State state) {
    if (nfa_.states.size() >= kMostStates) too_large();
    nfa_.states.push_back(std::move(state));
    return static_cast<std::int32_t>(nfa_.states.size()) - 1;
  }
  std::int32_t fork(std::int32_t one, std::int32_t other) { return add({.next = {one, other}}); }

  [[noreturn]] static void too_large() {
    fail(ErrorKind::config,
         "the regular expression is too large when its repetitions are written out (more than {} states): lower the "
         "counts in {{m,n}}, or use * or +",
         kMostStates);
  }

  /// The state from which the node's texts lead to `next`.
  std::int32_t build(const RegexNode& node, std::int32_t next) {
    if (++parts_ > kMostParts) too_large();  // also bounds repetitions of nothing, which add no states
    switch (node.kind) {
      case RegexNode::Kind::set: return read(node.set, next);
      case RegexNode::Kind::all:
        for (std::size_t i = node.children.size(); i-- > 0;) next = build(node.children[i], next);
        return next;
      case RegexNode::Kind::any: return choose(node, next);
      case RegexNode::Kind::repeat: break;
    }
    return repeat(node, next);
  }

  std::int32_t choose(const RegexNode& node, std::int32_t next) {
    std::int32_t choice = -1;
    for (std::size_t i = node.children.size(); i-- > 0;) {
      const std::int32_t branch = build(node.children[i], next);
      choice = choice < 0 ? branch : fork(branch, choice);
    }
    return choice;
  }

  std::int32_t repeat(const RegexNode& node, std::int32_t next) {
    const RegexNode& child = node.children.front();
    std::int32_t start = next;
    if (node.most == RegexNode::kUnbounded) {
      start = fork(-1, next);
      const std::int32_t body = build(child, start);
      nfa_.states[static_cast<std::size_t>(start)].next[0] = body;
    } else {
      for (int i = node.least; i < node.most; ++i) {
        const std::int32_t body = build(child, start);
        start = fork(body, next);
      }
    }
    for (int i = 0; i < node.least; ++i) start = build(child, start);
    return start;
  }

  std::int32_t read(const CodePointSet& set, std::int32_t next) {
    auto found = graphs_.find(set);
    if (found == graphs_.end()) found = graphs_.emplace(set, utf8_graph(set)).first;
    const Utf8Graph& graph = found->second;
    if (graph.root == 0) return add({});                                  // a set without members: no way on
    const auto base = static_cast<std::int32_t>(nfa_.states.size()) - 1;  // of node 1
    for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
      ByteNfa::State state{.edges = graph.nodes[i]};
      for (ByteEdge& edge : state.edges) edge.target = edge.target == 0 ? next : base + edge.target;
      add(std::move(state));
    }
    return base + graph.root;
  }

  ByteNfa nfa_;
  std::map<CodePointSet, Utf8Graph> graphs_;
  std::int64_t parts_ = 0;
};

}  // namespace

ByteNfa build_nfa(const RegexNode& root) { return Builder().run(root); }

}  // namespace hone
