#include "text/constraint/utf8_graph.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

namespace hone {
namespace {

/// Byte ranges one after another: every text that takes a byte of each is in the set.
struct Spelling {
  std::array<std::uint8_t, 4> first{};
  std::array<std::uint8_t, 4> last{};
  int length = 0;
};

int utf8_bytes(char32_t point, std::array<std::uint8_t, 4>& bytes) {
  const int length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  static constexpr std::array<int, 5> lead{0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; --i, point >>= 6) {
    bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(0x80 | (point & 0x3F));
  }
  bytes[0] = static_cast<std::uint8_t>(static_cast<char32_t>(lead[static_cast<std::size_t>(length)]) | point);
  return length;
}

/// Splits a range into spellings: both ends of the same length, and below the first byte that differs all
/// continuation bytes from 80 to BF.
void spell(char32_t first, char32_t last, std::vector<Spelling>& out) {
  for (const char32_t border : {0x7Fu, 0x7FFu, 0xFFFFu}) {
    if (first <= border && last > border) {
      spell(first, border, out);
      first = border + 1;
    }
  }
  for (const int bits : {6, 12, 18}) {
    const char32_t low = (char32_t{1} << bits) - 1;
    if (first < 0x80 || (first & ~low) == (last & ~low)) continue;
    if ((first & low) != 0) {
      spell(first, first | low, out);
      return spell((first | low) + 1, last, out);
    }
    if ((last & low) != low) {
      spell(first, (last & ~low) - 1, out);
      return spell(last & ~low, last, out);
    }
  }
  Spelling spelling;
  spelling.length = utf8_bytes(first, spelling.first);
  utf8_bytes(last, spelling.last);
  out.push_back(spelling);
}

class Builder {
 public:
  Utf8Graph run(const CodePointSet& set) {
    std::vector<Spelling> spellings;
    for (const CodePointRange& range : set.ranges()) spell(range.first, range.last, spellings);
    graph_.nodes.emplace_back();
    if (!spellings.empty()) graph_.root = node(spellings, 0);
    return std::move(graph_);
  }

 private:
  /// The node for what comes from byte `depth` on. Two spellings with a common lead range have an equal one: where a
  /// range is wider than a byte, it covers everything below.
  std::int32_t node(std::span<const Spelling> spellings, int depth) {
    if (spellings.front().length == depth) return 0;
    const auto at = static_cast<std::size_t>(depth);
    std::vector<ByteEdge> edges;
    for (std::size_t begin = 0, end = 0; begin < spellings.size(); begin = end) {
      while (end < spellings.size() && spellings[end].first[at] == spellings[begin].first[at]) ++end;
      const std::int32_t target = node(spellings.subspan(begin, end - begin), depth + 1);
      const ByteEdge edge{spellings[begin].first[at], spellings[begin].last[at], target};
      if (!edges.empty() && edges.back().target == target && edges.back().last + 1 == edge.first) {
        edges.back().last = edge.last;
      } else {
        edges.push_back(edge);
      }
    }
    const auto [found, added] = known_.emplace(edges, static_cast<std::int32_t>(graph_.nodes.size()));
    if (added) graph_.nodes.push_back(std::move(edges));
    return found->second;
  }

  Utf8Graph graph_;
  std::map<std::vector<ByteEdge>, std::int32_t> known_;
};

}  // namespace

Utf8Graph utf8_graph(const CodePointSet& set) { return Builder().run(set); }

}  // namespace hone
