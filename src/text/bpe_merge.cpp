#include "text/bpe_merge.h"

#include <algorithm>
#include <array>
#include <queue>
#include <vector>

namespace hone {
namespace {

constexpr std::size_t kShort = 48;  // symbols; up to here a linear scan beats a heap

std::size_t merge_short(const PairTable& table, std::int32_t* ids, std::uint32_t* ends, std::size_t count) {
  std::array<Merge, kShort> merges;  // of symbol i with symbol i + 1
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = table.find(ids[i], ids[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == UINT32_MAX) break;
    ids[best] = merges[best].id;
    std::copy(ids + best + 2, ids + count, ids + best + 1);
    std::copy(ends + best + 1, ends + count, ends + best);
    std::copy(merges.begin() + best + 1, merges.begin() + count - 1, merges.begin() + best);
    --count;
    if (best > 0) merges[best - 1] = table.find(ids[best - 1], ids[best]);
    if (best + 1 < count) merges[best] = table.find(ids[best], ids[best + 1]);
  }
  return count;
}

/// A pair that may merge, as it was when it was found.
struct Candidate {
  std::uint32_t rank;
  std::uint32_t left;
  std::int32_t left_id;
  std::int32_t right_id;
  std::int32_t merged;
  bool operator<(const Candidate& other) const {  // the queue's top is the greatest
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

std::size_t merge_long(const PairTable& table, std::int32_t* ids, std::uint32_t* ends, std::size_t count) {
  constexpr std::uint32_t none = UINT32_MAX;
  struct Links {
    std::uint32_t previous;
    std::uint32_t next;
  };
  std::vector<Links> links(count);
  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::uint32_t left) {
    if (left == none || links[left].next == none) return;
    const std::int32_t right_id = ids[links[left].next];
    const Merge merge = table.find(ids[left], right_id);
    if (merge.rank != UINT32_MAX) queue.push({merge.rank, left, ids[left], right_id, merge.id});
  };
  for (std::uint32_t i = 0; i < count; ++i) links[i] = {i == 0 ? none : i - 1, i + 1 < count ? i + 1 : none};
  for (std::uint32_t i = 0; i < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Links& left = links[best.left];
    if (ids[best.left] != best.left_id || left.next == none || ids[left.next] != best.right_id) continue;  // outdated
    const std::uint32_t right = left.next;
    ids[best.left] = best.merged;
    ends[best.left] = ends[right];
    left.next = links[right].next;
    ids[right] = -1;
    if (left.next != none) links[left.next].previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  std::size_t kept = 0;
  for (std::uint32_t i = 0; i != none; i = links[i].next) {
    ids[kept] = ids[i];
    ends[kept++] = ends[i];
  }
  return kept;
}

}  // namespace

std::size_t merge_symbols(const PairTable& merges, std::int32_t* ids, std::uint32_t* ends, std::size_t count) {
  return count <= kShort ? merge_short(merges, ids, ends, count) : merge_long(merges, ids, ends, count);
}

}  // namespace hone
