#include "text/bpe.h"

#include "base/error.h"
#include "text/byte_alphabet.h"

#include <algorithm>
#include <queue>

namespace hone {
namespace {

constexpr std::size_t kShort = 64;  // bytes; up to here a linear scan beats a heap

}  // namespace

BpeModel::BpeModel(const BpeSpec& spec, const std::string& source)
    : spec_(spec), tokens_(spec.tokens), merges_(spec.merges.size()), whole_(spec.tokens.size()) {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = tokens_.find(std::string(1, static_cast<char>(byte)));
  }
  const auto token = [&](std::int32_t id) -> const std::string& { return spec.tokens[static_cast<std::size_t>(id)]; };
  for (std::size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const auto& [left, right] = spec.merges[rank];
    const std::int32_t merged = tokens_.find(token(left) + token(right));
    if (merged < 0) {
      fail(ErrorKind::data, "{}: merge {} joins {} and {}, but {} is not in the vocabulary", source, rank + 1,
           to_byte_alphabet(token(left)), to_byte_alphabet(token(right)),
           to_byte_alphabet(token(left) + token(right)));
    }
    merges_.put(left, right, {static_cast<std::uint32_t>(rank), merged});
  }
  for (const AddedToken& added : spec.added) {
    const auto id = static_cast<std::size_t>(added.id);
    if (added.special && id < whole_.size()) whole_[id] = no;  // never out of ordinary text
  }
}

std::int32_t BpeModel::byte_id(char byte) const {
  const std::int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
  if (id < 0) {
    fail(ErrorKind::data, "the tokenizer has no token for byte 0x{:02x}", static_cast<unsigned char>(byte));
  }
  return id;
}

void BpeModel::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (piece.size() == 1) return ids.push_back(byte_id(piece[0]));
  const std::int32_t id = tokens_.find(piece);
  if (id < 0) return merge(piece, ids);
  std::atomic<std::uint8_t>& whole = whole_[static_cast<std::size_t>(id)];
  std::uint8_t state = whole.load(std::memory_order_relaxed);
  if (state == unknown) {
    std::vector<std::int32_t> merged;
    if (!spec_.ignore_merges) merge(piece, merged);
    state = spec_.ignore_merges || merged == std::vector{id} ? yes : no;
    whole.store(state, std::memory_order_relaxed);
  }
  if (state == yes) return ids.push_back(id);
  merge(piece, ids);
}

void BpeModel::merge(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (spec_.merges.empty()) {
    for (const char byte : piece) ids.push_back(byte_id(byte));
  } else if (piece.size() <= kShort) {
    merge_short(piece, ids);
  } else {
    merge_long(piece, ids);
  }
}

void BpeModel::merge_short(std::string_view piece, std::vector<std::int32_t>& ids) const {
  std::array<std::int32_t, kShort> parts;
  std::array<Merge, kShort> merges;  // of part i with part i + 1
  std::size_t count = piece.size();
  for (std::size_t i = 0; i < count; ++i) parts[i] = byte_id(piece[i]);
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = merges_.find(parts[i], parts[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == UINT32_MAX) break;
    parts[best] = merges[best].id;
    std::copy(parts.begin() + best + 2, parts.begin() + count, parts.begin() + best + 1);
    std::copy(merges.begin() + best + 1, merges.begin() + count - 1, merges.begin() + best);
    --count;
    if (best > 0) merges[best - 1] = merges_.find(parts[best - 1], parts[best]);
    if (best + 1 < count) merges[best] = merges_.find(parts[best], parts[best + 1]);
  }
  ids.insert(ids.end(), parts.begin(), parts.begin() + count);
}

void BpeModel::merge_long(std::string_view piece, std::vector<std::int32_t>& ids) const {
  struct Part {
    std::int32_t id;
    std::int32_t previous;
    std::int32_t next;  // -1: the last
  };
  struct Candidate {
    std::uint32_t rank;
    std::int32_t left;
    std::int32_t left_id;  // as it was when the candidate was made
    std::int32_t right_id;
    std::int32_t merged;
    bool operator<(const Candidate& other) const {  // the queue's top is the greatest
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  const auto count = static_cast<std::int32_t>(piece.size());
  std::vector<Part> parts(piece.size());
  std::priority_queue<Candidate> queue;
  const auto part = [&](std::int32_t i) -> Part& { return parts[static_cast<std::size_t>(i)]; };
  const auto consider = [&](std::int32_t left) {
    if (left < 0 || part(left).next < 0) return;
    const std::int32_t right_id = part(part(left).next).id;
    const Merge merge = merges_.find(part(left).id, right_id);
    if (merge.rank != UINT32_MAX) queue.push({merge.rank, left, part(left).id, right_id, merge.id});
  };
  for (std::int32_t i = 0; i < count; ++i) {
    part(i) = {byte_id(piece[static_cast<std::size_t>(i)]), i - 1, i + 1 < count ? i + 1 : -1};
  }
  for (std::int32_t i = 0; i < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Part& left = part(best.left);
    if (left.id != best.left_id || left.next < 0 || part(left.next).id != best.right_id) continue;  // outdated
    Part& right = part(left.next);
    left.id = best.merged;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) part(left.next).previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  for (std::int32_t i = 0; i >= 0; i = part(i).next) ids.push_back(part(i).id);
}

}  // namespace hone
