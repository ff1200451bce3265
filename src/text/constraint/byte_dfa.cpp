#include "text/constraint/byte_dfa.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"

namespace hone {
namespace {

constexpr std::size_t kMostStates = 65'536;
constexpr std::int64_t kMostWork = 50'000'000;

using StateSet = std::vector<std::int32_t>;  // ascending

struct HashSet {
  std::size_t operator()(const StateSet& set) const {
    std::uint64_t hash = set.size();
    for (const std::int32_t state : set) {
      hash = (hash ^ static_cast<std::uint64_t>(state)) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 29;
    }
    return static_cast<std::size_t>(hash);
  }
};

class Subsets {
 public:
  explicit Subsets(const ByteNfa& nfa) : nfa_(nfa), seen_(nfa.states.size(), 0) {}

  ByteDfa run() {
    find_classes();
    dfa_.start = state_of({nfa_.start});
    for (std::size_t state = 0; state < sets_.size(); ++state) expand(state);
    return std::move(dfa_);
  }

 private:
  void find_classes() {
    std::array<bool, 257> begins{};
    begins[0] = true;
    for (const ByteNfa::State& state : nfa_.states) {
      for (const ByteEdge& edge : state.edges) begins[edge.first] = begins[std::size_t{edge.last} + 1] = true;
    }
    int last = -1;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (begins[byte]) ++last;
      dfa_.byte_class[byte] = static_cast<std::uint8_t>(last);
    }
    dfa_.classes = last + 1;
  }

  void count_work(std::size_t amount) {
    work_ += static_cast<std::int64_t>(amount);
    if (work_ > kMostWork || sets_.size() > kMostStates) {
      fail(ErrorKind::config,
           "the regular expression needs too large an automaton (more than {} states): it has alternatives or "
           "repetitions "
           "that only later text tells apart; make them begin differently or lower their counts",
           kMostStates);
    }
  }

  /// The reading and accepting states that are reached without reading, ascending.
  StateSet closure(const StateSet& from) {
    ++visit_;
    StateSet closed, open = from;
    std::size_t visited = 0;
    while (!open.empty()) {
      const std::int32_t state = open.back();
      open.pop_back();
      if (seen_[static_cast<std::size_t>(state)] == visit_) continue;
      seen_[static_cast<std::size_t>(state)] = visit_;
      ++visited;
      const ByteNfa::State& here = nfa_.states[static_cast<std::size_t>(state)];
      if (!here.edges.empty() || state == nfa_.accept) closed.push_back(state);
      for (const std::int32_t next : here.next) {
        if (next >= 0) open.push_back(next);
      }
    }
    count_work(visited);
    std::sort(closed.begin(), closed.end());
    return closed;
  }

  /// `targets` ascending: where the edges lead, before going on without reading.
  std::int32_t state_of(const StateSet& targets) {
    if (targets.empty()) return ByteDfa::kDead;
    if (const auto known = by_targets_.find(targets); known != by_targets_.end()) return known->second;
    StateSet closed = closure(targets);
    const auto [found, added] = by_closure_.emplace(std::move(closed), static_cast<std::int32_t>(sets_.size()));
    if (added) {
      sets_.push_back(&found->first);
      dfa_.accepts.push_back(std::binary_search(found->first.begin(), found->first.end(), nfa_.accept));
    }
    by_targets_.emplace(targets, found->second);
    return found->second;
  }

  void expand(std::size_t state) {
    const auto classes = static_cast<std::size_t>(dfa_.classes);
    std::vector<StateSet> targets(classes);
    std::size_t work = 0;
    for (const std::int32_t from : *sets_[state]) {
      for (const ByteEdge& edge : nfa_.states[static_cast<std::size_t>(from)].edges) {
        const std::size_t last = dfa_.byte_class[edge.last];
        for (std::size_t c = dfa_.byte_class[edge.first]; c <= last; ++c, ++work) targets[c].push_back(edge.target);
      }
    }
    count_work(work);
    for (StateSet& set : targets) {
      std::sort(set.begin(), set.end());
      set.erase(std::unique(set.begin(), set.end()), set.end());
      const std::int32_t target = state_of(set);
      dfa_.next.push_back(target);
    }
  }

  const ByteNfa& nfa_;
  ByteDfa dfa_;
  std::vector<const StateSet*> sets_;  ///< keys of by_closure_, in the order of their states
  std::unordered_map<StateSet, std::int32_t, HashSet> by_closure_;
  std::unordered_map<StateSet, std::int32_t, HashSet> by_targets_;
  std::vector<std::int64_t> seen_;
  std::int64_t visit_ = 0;
  std::int64_t work_ = 0;
};

/// Which states reach an accepting one.
std::vector<std::uint8_t> find_alive(const ByteDfa& dfa) {
  const auto classes = static_cast<std::size_t>(dfa.classes);
  std::vector<StateSet> sources(dfa.accepts.size());
  for (std::size_t i = 0; i < dfa.next.size(); ++i) {
    const std::int32_t target = dfa.next[i];
    if (target < 0) continue;
    StateSet& from = sources[static_cast<std::size_t>(target)];
    const auto source = static_cast<std::int32_t>(i / classes);
    if (from.empty() || from.back() != source) from.push_back(source);
  }
  std::vector<std::uint8_t> alive = dfa.accepts;
  StateSet open;
  for (std::int32_t state = 0; state < dfa.states(); ++state) {
    if (alive[static_cast<std::size_t>(state)]) open.push_back(state);
  }
  while (!open.empty()) {
    const auto state = static_cast<std::size_t>(open.back());
    open.pop_back();
    for (const std::int32_t source : sources[state]) {
      if (alive[static_cast<std::size_t>(source)]) continue;
      alive[static_cast<std::size_t>(source)] = 1;
      open.push_back(source);
    }
  }
  return alive;
}

ByteDfa keep_alive(const ByteDfa& all) {
  const std::vector<std::uint8_t> alive = find_alive(all);
  if (!alive[static_cast<std::size_t>(all.start)]) {
    fail(ErrorKind::config, "the regular expression matches no text at all: one of its classes has no members");
  }
  std::vector<std::int32_t> renamed(alive.size(), ByteDfa::kDead);
  ByteDfa kept{.byte_class = all.byte_class, .classes = all.classes};
  for (std::size_t state = 0; state < alive.size(); ++state) {
    if (!alive[state]) continue;
    renamed[state] = kept.states();
    kept.accepts.push_back(all.accepts[state]);
  }
  const auto classes = static_cast<std::size_t>(all.classes);
  for (std::size_t i = 0; i < all.next.size(); ++i) {
    if (!alive[i / classes]) continue;
    kept.next.push_back(all.next[i] < 0 ? ByteDfa::kDead : renamed[static_cast<std::size_t>(all.next[i])]);
  }
  kept.start = renamed[static_cast<std::size_t>(all.start)];
  return kept;
}

}  // namespace

std::int32_t ByteDfa::run(std::int32_t state, std::string_view bytes) const {
  for (const char byte : bytes) {
    if (state == kDead) break;
    state = step(state, static_cast<std::uint8_t>(byte));
  }
  return state;
}

ByteDfa build_dfa(const ByteNfa& nfa) { return keep_alive(Subsets(nfa).run()); }

}  // namespace hone
