#include "text/sentencepiece/bpe.h"

#include <algorithm>
#include <queue>
#include <unordered_set>

namespace hone {
namespace {

using PieceType = SentencePieceModel::PieceType;
using Symbol = SentencePieceBpe::Symbol;

constexpr std::size_t kShort = 48;  // symbols; up to here a linear scan beats a heap

std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  return std::min<std::size_t>(text.size(), lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4);
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    characters.push_back(text.substr(0, character_length(text)));
    text.remove_prefix(characters.back().size());
  }
  return characters;
}

bool has_mark_inside(std::string_view piece) {
  const std::vector<std::string_view> characters = characters_of(piece);
  for (std::size_t i = 1; i < characters.size(); ++i) {
    if (characters[i] == kSpaceMark && characters[i - 1] != kSpaceMark) return true;
  }
  return false;
}

/// Cuts that were encoded already, and where their symbols stand in the result; a newer cut may take an older's place.
class SeenCuts {
 public:
  explicit SeenCuts(std::size_t text_size) {
    if (text_size >= 1024) slots_.resize(text_size >= 65536 ? 16384 : 1024);
  }
  struct Slot {
    std::string_view text;
    std::size_t begin = 0;
    std::size_t count = 0;
  };
  /// Null for a text so short that keeping cuts does not pay.
  Slot* find(std::string_view cut) {
    return slots_.empty() ? nullptr : &slots_[hash_bytes(cut) >> 32 & (slots_.size() - 1)];
  }

 private:
  std::vector<Slot> slots_;
};

}  // namespace

std::vector<std::string> SentencePieceBpe::mergeable(const SentencePieceModel& model) {
  std::vector<std::string> texts;
  for (const auto& piece : model.pieces) {
    const bool merges = piece.type == PieceType::normal || piece.type == PieceType::unused;
    texts.push_back(merges ? piece.text : "");
  }
  std::unordered_set<std::string> known(texts.begin(), texts.end());
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const std::string text = texts[i];  // the list grows below
    for (const std::string_view character : characters_of(text)) {
      if (known.emplace(character).second) texts.emplace_back(character);
    }
  }
  return texts;
}

SentencePieceBpe::SentencePieceBpe(const SentencePieceModel& model, const UserDefinedPieces& user_defined)
    : model_(model), user_defined_(user_defined), texts_(mergeable(model)), ids_(texts_), merges_(0) {
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const auto& piece = model.pieces[id];
    if (piece.type == PieceType::user_defined) user_defined_ids_.emplace(piece.text, static_cast<std::int32_t>(id));
    if (piece.type == PieceType::unused) has_unused_ = true;
    if (has_mark_inside(piece.text)) cuts_at_marks_ = false;
  }
  for (int byte = 0; byte < 128; ++byte) {
    ascii_ids_[static_cast<std::size_t>(byte)] = ids_.find(std::string(1, static_cast<char>(byte)));
  }
  add_merges();
}

/// Ranks of scores from the greatest down, and for each way to make a piece of two symbols, what it gives.
void SentencePieceBpe::add_merges() {
  std::vector<float> scores;
  for (const auto& piece : model_.pieces) scores.push_back(piece.score);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  struct Entry {
    std::int32_t left;
    std::int32_t right;
    Merge merge;
  };
  std::vector<Entry> entries;
  for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
    const std::string_view text = texts_[id];
    if (text.empty()) continue;
    const auto place = std::lower_bound(scores.begin(), scores.end(), model_.pieces[id].score, std::greater<>());
    const Merge merge = {static_cast<std::uint32_t>(place - scores.begin()), static_cast<std::int32_t>(id)};
    for (std::size_t at = character_length(text); at < text.size(); at += character_length(text.substr(at))) {
      const std::int32_t left = ids_.find(text.substr(0, at));
      const std::int32_t right = left < 0 ? -1 : ids_.find(text.substr(at));
      if (right >= 0) entries.push_back({left, right, merge});
    }
  }
  merges_ = PairTable(entries.size());
  for (const Entry& entry : entries) merges_.put(entry.left, entry.right, entry.merge);
}

bool SentencePieceBpe::is_unused(std::int32_t id) const {
  return id >= 0 && static_cast<std::size_t>(id) < model_.pieces.size() &&
         model_.pieces[static_cast<std::size_t>(id)].type == PieceType::unused;
}

/// How far the text can be encoded by itself. Unused pieces remember joins from the whole text.
std::size_t SentencePieceBpe::cut(std::string_view text) const {
  if (!cuts_at_marks_ || has_unused_) return text.size();
  std::size_t at = 0;
  while (text.substr(at).starts_with(kSpaceMark)) at += kSpaceMark.size();
  return std::min(text.find(kSpaceMark, at), text.size());
}

void SentencePieceBpe::encode(std::string_view text, std::vector<Symbol>& symbols) const {
  SeenCuts seen(text.size());
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, cut(text));
    text.remove_prefix(piece.size());
    SeenCuts::Slot* slot = seen.find(piece);
    const std::size_t begin = symbols.size();
    if (slot != nullptr && slot->text == piece) {
      for (std::size_t i = 0; i < slot->count; ++i) symbols.push_back(symbols[slot->begin + i]);
      continue;
    }
    encode_cut(piece, symbols);
    if (slot != nullptr) *slot = {piece, begin, symbols.size() - begin};
  }
}

void SentencePieceBpe::encode_cut(std::string_view text, std::vector<Symbol>& symbols) const {
  const std::size_t first = symbols.size();
  split(text, symbols);
  symbols.size() - first <= kShort && !has_unused_ ? merge_short(symbols, first) : merge_long(symbols, first);
  for (std::size_t i = first; i < symbols.size(); ++i) {
    if (symbols[i].id >= static_cast<std::int32_t>(model_.pieces.size())) symbols[i].id = -1;
  }
}

/// Characters and user-defined pieces. The latter have ids that no merge knows.
void SentencePieceBpe::split(std::string_view text, std::vector<Symbol>& symbols) const {
  while (!text.empty()) {
    std::size_t size = user_defined_.match(text);
    std::int32_t id = -1;
    if (size > 0) {
      id = user_defined_ids_.at(text.substr(0, size));
    } else {
      size = character_length(text);
      id = size == 1 ? ascii_ids_[static_cast<unsigned char>(text[0]) & 0x7F] : ids_.find(text.substr(0, size));
    }
    symbols.push_back({id, static_cast<std::uint32_t>(size)});
    text.remove_prefix(size);
  }
}

void SentencePieceBpe::merge_short(std::vector<Symbol>& symbols, std::size_t first) const {
  std::array<Merge, kShort> merges;  // of symbol i with symbol i + 1
  Symbol* part = symbols.data() + first;
  std::size_t count = symbols.size() - first;
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = merges_.find(part[i].id, part[i + 1].id);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (merges[i].rank < merges[best].rank) best = i;
    }
    if (merges[best].rank == UINT32_MAX) break;
    part[best] = {merges[best].id, part[best].size + part[best + 1].size};
    std::copy(part + best + 2, part + count, part + best + 1);
    std::copy(merges.begin() + best + 1, merges.begin() + count - 1, merges.begin() + best);
    --count;
    if (best > 0) merges[best - 1] = merges_.find(part[best - 1].id, part[best].id);
    if (best + 1 < count) merges[best] = merges_.find(part[best].id, part[best + 1].id);
  }
  symbols.resize(first + count);
}

void SentencePieceBpe::merge_long(std::vector<Symbol>& symbols, std::size_t first) const {
  struct Part {
    Symbol symbol;
    std::int32_t previous;
    std::int32_t next;  // -1: the last
  };
  struct Candidate {
    std::uint32_t rank;
    std::int32_t left;
    std::uint32_t size;  // of both together: tells whether the candidate is outdated
    std::int32_t merged;
    bool operator<(const Candidate& other) const {  // the queue's top is the greatest
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  const auto count = static_cast<std::int32_t>(symbols.size() - first);
  std::vector<Part> parts;
  for (std::int32_t i = 0; i < count; ++i) {
    parts.push_back({symbols[first + static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
  }
  const auto part = [&](std::int32_t i) -> Part& { return parts[static_cast<std::size_t>(i)]; };
  std::priority_queue<Candidate> queue;
  Joined joined;
  const auto consider = [&](std::int32_t left) {
    if (left < 0 || part(left).next < 0) return;
    const Symbol& a = part(left).symbol;
    const Symbol& b = part(part(left).next).symbol;
    const Merge merge = merges_.find(a.id, b.id);
    if (merge.rank == UINT32_MAX) return;
    queue.push({merge.rank, left, a.size + b.size, merge.id});
    if (has_unused_ && is_unused(merge.id)) joined[merge.id] = {a, b};
  };
  for (std::int32_t i = 0; i < count; ++i) consider(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Part& left = part(best.left);
    if (left.symbol.size == 0 || left.next < 0) continue;
    Part& right = part(left.next);
    if (left.symbol.size + right.symbol.size != best.size) continue;
    left.symbol = {best.merged, best.size};
    left.next = right.next;
    right.symbol.size = 0;
    if (left.next >= 0) part(left.next).previous = best.left;
    consider(left.previous);
    consider(best.left);
  }
  symbols.resize(first);
  for (std::int32_t i = count == 0 ? -1 : 0; i >= 0; i = part(i).next) append(part(i).symbol, joined, symbols);
}

void SentencePieceBpe::append(Symbol symbol, const Joined& joined, std::vector<Symbol>& symbols) const {
  const auto parts = is_unused(symbol.id) ? joined.find(symbol.id) : joined.end();
  if (parts == joined.end()) return symbols.push_back(symbol);
  append(parts->second.first, joined, symbols);
  append(parts->second.second, joined, symbols);
}

}  // namespace hone
