#include "text/sentencepiece/encoder.h"

#include "base/error.h"
#include "text/sentencepiece/decoding.h"
#include "text/subword_model.h"

#include <algorithm>
#include <cfloat>

namespace hone {
namespace {

using Algorithm = SentencePieceModel::Algorithm;
using PieceType = SentencePieceModel::PieceType;

SentencePieceModel checked(SentencePieceModel model, const std::string& source) {
  if (model.algorithm == Algorithm::word || model.algorithm == Algorithm::character) {
    fail(ErrorKind::data, "{}: a SentencePiece model of type {}: only unigram and bpe are read", source,
         model.algorithm == Algorithm::word ? "word" : "char");
  }
  return model;
}

}  // namespace

/// Viterbi's search over normalized text, with the library's arithmetic: sums are kept as float.
class SentencePieceEncoder::Unigram {
 public:
  explicit Unigram(const SentencePieceModel& model) : model_(model), trie_(texts(model)) {
    float least = FLT_MAX;
    for (const auto& piece : model.pieces) {
      if (piece.type == PieceType::normal) least = std::min(least, piece.score);
    }
    unknown_score_ = least - 10.0f;
  }

  void encode(std::string_view text, std::vector<Subword>& pieces) const {
    std::vector<Place> places(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) at += reach_from(text, at, places);
    for (std::size_t end = text.size(); end > 0;) {
      const Place& place = places[end];
      pieces.push_back({place.id, static_cast<std::uint32_t>(place.begin), static_cast<std::uint32_t>(end)});
      end = static_cast<std::size_t>(place.begin);
    }
    std::reverse(pieces.begin(), pieces.end());
  }

 private:
  struct Place {
    float score = 0;
    std::int32_t id = -1;
    std::int64_t begin = -1;
  };

  static std::vector<std::string_view> texts(const SentencePieceModel& model) {
    std::vector<std::string_view> texts;
    for (const auto& piece : model.pieces) {
      const bool matches = piece.type == PieceType::normal || piece.type == PieceType::user_defined;
      texts.push_back(matches ? std::string_view(piece.text) : std::string_view());
    }
    return texts;
  }

  /// Greater than that of any pieces that could stand for it, as these are log-probabilities.
  static float user_defined_score(std::size_t bytes) {
    return static_cast<float>(0.1 * static_cast<double>(bytes) - 0.1);
  }

  /// Tries every piece at a place; returns the length of the character there.
  std::size_t reach_from(std::string_view text, std::size_t at, std::vector<Place>& places) const {
    const float so_far = places[at].score;
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t character = std::min<std::size_t>(text.size() - at, lead < 0x80   ? 1
                                                                          : lead < 0xE0 ? 2
                                                                          : lead < 0xF0 ? 3
                                                                                        : 4);
    const auto reach = [&](std::size_t length, std::int32_t id, float sum) {
      Place& place = places[at + length];
      if (place.begin < 0 || sum > place.score) place = {sum, id, static_cast<std::int64_t>(at)};
    };
    bool is_piece = false;
    trie_.prefixes(text.substr(at), [&](std::size_t length, std::int32_t id) {
      const auto& piece = model_.pieces[static_cast<std::size_t>(id)];
      const bool user_defined = piece.type == PieceType::user_defined;
      reach(length, id, (user_defined ? user_defined_score(length) : piece.score) + so_far);
      is_piece |= length == character;
    });
    if (!is_piece) reach(character, model_.unknown, unknown_score_ + so_far);
    return character;
  }

  const SentencePieceModel& model_;
  UnigramTrie trie_;
  float unknown_score_ = 0;
};

SentencePieceEncoder::SentencePieceEncoder(SentencePieceModel model, const std::string& source)
    : model_(checked(std::move(model), source)), user_defined_(model_), normalization_(model_, user_defined_, source) {
  if (model_.algorithm == Algorithm::bpe) {
    bpe_.emplace(model_, user_defined_);
  } else {
    unigram_ = std::make_unique<Unigram>(model_);
  }
  for (std::size_t id = 0; id < model_.pieces.size(); ++id) {
    if (model_.pieces[id].type != PieceType::byte) continue;
    byte_ids_[*byte_of_piece(model_.pieces[id].text)] = static_cast<std::int32_t>(id);
  }
}

SentencePieceEncoder::~SentencePieceEncoder() = default;

std::vector<std::int32_t> SentencePieceEncoder::encode(std::string_view text) const {
  const std::string normalized = normalization_.apply(text);
  const std::string_view whole = normalized;
  std::vector<std::int32_t> ids;
  ids.reserve(normalized.size() / 3 + 4);
  if (bpe_) {
    std::vector<SentencePieceBpe::Symbol> symbols;
    bpe_->encode(whole, symbols);
    std::size_t at = 0;
    for (const auto& symbol : symbols) {
      append(whole.substr(at, symbol.size), symbol.id < 0 ? model_.unknown : symbol.id, ids);
      at += symbol.size;
    }
  } else {
    std::vector<Subword> pieces;
    unigram_->encode(whole, pieces);
    for (const Subword& piece : pieces) append(whole.substr(piece.begin, piece.end - piece.begin), piece.id, ids);
  }
  return ids;
}

/// An unknown piece is spelled in bytes, or joins an unknown one before it.
void SentencePieceEncoder::append(std::string_view text, std::int32_t id, std::vector<std::int32_t>& ids) const {
  if (id != model_.unknown) return ids.push_back(id);
  if (model_.byte_fallback) {
    for (const char byte : text) ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  } else if (ids.empty() || ids.back() != id) {
    ids.push_back(id);
  }
}

std::string SentencePieceEncoder::decode(std::span<const std::int32_t> ids) const {
  SentencePieceDecoding decoding(model_, false);
  std::string text;
  for (const std::int32_t id : ids) text += decoding.push(id);
  return text + decoding.finish();
}

}  // namespace hone
