#include "text/bpe.h"

#include "base/error.h"
#include "text/bpe_merge.h"
#include "text/byte_alphabet.h"

namespace hone {
namespace {

constexpr std::size_t kShort = 64;  // bytes that are merged without memory of their own

}  // namespace

BpeModel::BpeModel(const BpeSpec& spec, const std::string& source)
    : tokens_(spec.tokens),
      merges_(spec.merges.size()),
      has_merges_(!spec.merges.empty()),
      ignore_merges_(spec.ignore_merges),
      whole_(spec.tokens.size()) {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    byte_ids_[byte] = tokens_.find(std::string(1, static_cast<char>(byte)));
  }
  for (std::size_t rank = 0; rank < spec.merges.size(); ++rank) {
    const auto& [left, right] = spec.merges[rank];
    const std::int32_t merged = tokens_.find(tokens_.token(left) + tokens_.token(right));
    if (merged < 0) {
      fail(ErrorKind::data, "{}: merge {} joins {} and {}, but {} is not in the vocabulary", source, rank + 1,
           to_byte_alphabet(tokens_.token(left)), to_byte_alphabet(tokens_.token(right)),
           to_byte_alphabet(tokens_.token(left) + tokens_.token(right)));
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

/// Calls sink(id, begin, end) for each token.
template <class Sink>
void BpeModel::merge(std::string_view piece, const Sink& sink) const {
  std::array<std::int32_t, kShort> few_ids;
  std::array<std::uint32_t, kShort> few_ends;
  std::vector<std::int32_t> many_ids;
  std::vector<std::uint32_t> many_ends;
  const bool few = piece.size() <= kShort;
  if (!few) {
    many_ids.resize(piece.size());
    many_ends.resize(piece.size());
  }
  std::int32_t* ids = few ? few_ids.data() : many_ids.data();
  std::uint32_t* ends = few ? few_ends.data() : many_ends.data();
  for (std::size_t i = 0; i < piece.size(); ++i) {
    ids[i] = byte_id(piece[i]);
    ends[i] = static_cast<std::uint32_t>(i + 1);
  }
  const std::size_t count = has_merges_ ? merge_symbols(merges_, ids, ends, piece.size()) : piece.size();
  for (std::size_t i = 0; i < count; ++i) sink(ids[i], i == 0 ? 0 : ends[i - 1], ends[i]);
}

bool BpeModel::is_whole(std::string_view piece, std::int32_t id) const {
  std::atomic<std::uint8_t>& whole = whole_[static_cast<std::size_t>(id)];
  std::uint8_t state = whole.load(std::memory_order_relaxed);
  if (state == unknown) {
    state = yes;
    if (!ignore_merges_) merge(piece, [&](std::int32_t merged, std::uint32_t, std::uint32_t) {
      if (merged != id) state = no;
    });
    whole.store(state, std::memory_order_relaxed);
  }
  return state == yes;
}

template <class Sink>
void BpeModel::encode_to(std::string_view piece, const Sink& sink) const {
  const auto size = static_cast<std::uint32_t>(piece.size());
  if (piece.size() == 1) return sink(byte_id(piece[0]), 0, size);
  const std::int32_t id = tokens_.find(piece);
  if (id >= 0 && is_whole(piece, id)) return sink(id, 0, size);
  merge(piece, sink);
}

void BpeModel::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  encode_to(piece, [&](std::int32_t id, std::uint32_t, std::uint32_t) { ids.push_back(id); });
}

void BpeModel::tokenize(std::string_view piece, std::vector<Subword>& tokens) const {
  encode_to(piece, [&](std::int32_t id, std::uint32_t begin, std::uint32_t end) { tokens.push_back({id, begin, end}); });
}

std::optional<std::int32_t> BpeModel::token_to_id(std::string_view token) const {
  const auto bytes = from_byte_alphabet(token);
  return bytes ? tokens_.id(*bytes) : std::nullopt;
}

std::string BpeModel::id_to_token(std::int32_t id) const { return to_byte_alphabet(tokens_.token(id)); }

}  // namespace hone
