#include "text/unigram_trie.h"

#include <algorithm>
#include <numeric>

namespace hone {

/// Places nodes first-fit. Free units form a list; a node tries the first few and then opens a new block, so that
/// building stays linear.
class UnigramTrie::Builder {
 public:
  Builder(std::span<const std::string_view> keys, std::vector<Unit>& units) : keys_(keys), units_(units) {
    add_block();
    units_[0].parent = kRoot;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i].empty()) order_.push_back(static_cast<std::uint32_t>(i));
    }
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return keys_[a] < keys_[b]; });
  }

  void run() {
    std::vector<Range> open = {{0, order_.size(), 0, 0}};
    std::vector<Range> children;
    while (!open.empty()) {
      const Range range = open.back();
      open.pop_back();
      children.clear();
      split(range, children);
      if (children.empty()) continue;
      place(range.node, children);
      open.insert(open.end(), children.rbegin(), children.rend());
    }
  }

 private:
  /// Keys order_[begin, end), which share their first `depth` bytes: those lead to `node`.
  struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
    std::uint32_t node;
  };

  unsigned char byte_at(std::size_t place, std::size_t depth) const {
    return static_cast<unsigned char>(keys_[order_[place]][depth]);
  }

  void split(const Range& range, std::vector<Range>& children) {
    std::size_t at = range.begin;
    for (; at < range.end && keys_[order_[at]].size() == range.depth; ++at) {
      units_[range.node].value = static_cast<std::int32_t>(order_[at]);
    }
    while (at < range.end) {
      const unsigned char byte = byte_at(at, range.depth);
      const std::size_t begin = at;
      while (at < range.end && byte_at(at, range.depth) == byte) ++at;
      children.push_back({begin, at, range.depth + 1, byte});  // `node` is the byte until it is placed
    }
  }

  void place(std::uint32_t parent, std::vector<Range>& children) {
    const std::uint32_t base = find_base(children);
    units_[parent].base = base;
    for (Range& child : children) {
      child.node = base ^ child.node;
      units_[child.node].parent = parent;
    }
  }

  std::uint32_t find_base(const std::vector<Range>& children) {
    constexpr int kTries = 48;
    std::uint32_t before = kNone;
    int tries = 0;
    for (std::uint32_t at = first_free_; at != kNone && tries < kTries;) {
      if (units_[at].parent != kFree) {  // taken since: out of the list
        at = next_free_[at];
        (before == kNone ? first_free_ : next_free_[before]) = at;
        continue;
      }
      const std::uint32_t base = at ^ children[0].node;
      const auto is_free = [&](const Range& child) { return units_[base ^ child.node].parent == kFree; };
      if (std::all_of(children.begin(), children.end(), is_free)) return base;
      ++tries;
      before = at;
      at = next_free_[at];
    }
    const auto base = static_cast<std::uint32_t>(units_.size());
    add_block();
    return base;
  }

  /// The units of a new block go to the head of the list: older ones are the hard ones.
  void add_block() {
    const auto begin = static_cast<std::uint32_t>(units_.size());
    units_.resize(units_.size() + 256);
    next_free_.resize(units_.size());
    std::iota(next_free_.begin() + begin, next_free_.end(), begin + 1);
    next_free_.back() = first_free_;
    first_free_ = begin;
  }

  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kRoot = UINT32_MAX - 1;  // no unit: the root is nobody's child
  std::span<const std::string_view> keys_;
  std::vector<Unit>& units_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> next_free_;
  std::uint32_t first_free_ = kNone;
};

UnigramTrie::UnigramTrie(std::span<const std::string_view> keys) {
  Builder(keys, units_).run();
  units_.shrink_to_fit();
}

std::int32_t UnigramTrie::find(std::string_view key) const {
  std::int32_t found = -1;
  prefixes(key, [&](std::size_t length, std::int32_t value) {
    if (length == key.size()) found = value;
  });
  return found;
}

}  // namespace hone
