#include "text/unigram.h"

#include "base/error.h"
#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hone {
namespace {

constexpr double kUnknownPenalty = 10;

UnigramSpec checked(UnigramSpec spec, const std::string& source) {
  if (spec.tokens.empty()) fail(ErrorKind::data, "{}: the Unigram vocabulary is empty", source);
  if (spec.tokens.size() != spec.scores.size()) {
    fail(ErrorKind::data, "{}: {} tokens, but {} scores", source, spec.tokens.size(), spec.scores.size());
  }
  for (std::size_t i = 0; i < spec.scores.size(); ++i) {
    if (!std::isfinite(spec.scores[i])) {
      fail(ErrorKind::data, "{}: token {} (\"{}\") has the score {}", source, i, spec.tokens[i], spec.scores[i]);
    }
  }
  if (spec.unknown && (*spec.unknown < 0 || static_cast<std::size_t>(*spec.unknown) >= spec.tokens.size())) {
    fail(ErrorKind::data, "{}: unk_id {} is outside the vocabulary of {} tokens", source, *spec.unknown,
         spec.tokens.size());
  }
  return spec;
}

/// Bytes of the character that opens with this one.
std::size_t length_of(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

UnigramModel::UnigramModel(UnigramSpec spec, const std::string& source)
    : spec_(checked(std::move(spec), source)),
      trie_(std::vector<std::string_view>(spec_.tokens.begin(), spec_.tokens.end())) {
  unknown_score_ = *std::min_element(spec_.scores.begin(), spec_.scores.end()) - kUnknownPenalty;
  for (int byte = 0; byte < 256; ++byte) byte_ids_.push_back(trie_.find(fmt::format("<0x{:02X}>", byte)));
}

void UnigramModel::tokenize(std::string_view piece, std::vector<Subword>& tokens) const {
  constexpr std::size_t kShort = 128;  // bytes; such pieces need no memory of their own
  if (piece.size() < kShort) {
    std::array<Place, kShort> places;
    search(piece, places.data());
    append(piece, places.data(), tokens);
  } else {
    std::vector<Place> places(piece.size() + 1);
    search(piece, places.data());
    append(piece, places.data(), tokens);
  }
}

void UnigramModel::search(std::string_view piece, Place* places) const {
  std::fill_n(places, piece.size() + 1, Place{0, -1, kUnreached});
  for (std::size_t at = 0; at < piece.size();) {
    const double score = places[at].score;
    const std::size_t character = std::min(length_of(piece[at]), piece.size() - at);
    const auto reach = [&](std::size_t length, std::int32_t id, double sum) {
      Place& place = places[at + length];
      if (place.begin == kUnreached || sum > place.score) place = {sum, id, static_cast<std::uint32_t>(at)};
    };
    bool is_token = false;
    trie_.prefixes(piece.substr(at), [&](std::size_t length, std::int32_t id) {
      reach(length, id, spec_.scores[static_cast<std::size_t>(id)] + score);
      is_token |= length == character;
    });
    if (!is_token) {
      if (!spec_.unknown) {
        Place& place = places[at + character];
        if (place.begin == kUnreached || unknown_score_ + score > place.score) {
          fail(ErrorKind::data, "the Unigram vocabulary lacks \"{}\" and names no unknown token (unk_id)",
               valid_utf8(piece.substr(at, character)));
        }
      } else {
        reach(character, *spec_.unknown, unknown_score_ + score);
      }
    }
    at += character;
  }
}

void UnigramModel::append(std::string_view piece, const Place* places, std::vector<Subword>& tokens) const {
  const std::size_t first = tokens.size();
  for (std::size_t end = piece.size(); end > 0; end = places[end].begin) {
    const Subword token = {places[end].id, places[end].begin, static_cast<std::uint32_t>(end)};
    if (token.id == spec_.unknown && tokens.size() > first && tokens.back().id == spec_.unknown) {
      tokens.back().begin = token.begin;
    } else {
      tokens.push_back(token);
    }
  }
  const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(first);
  std::reverse(begin, tokens.end());
  const auto is_unknown = [&](const Subword& token) { return token.id == spec_.unknown; };
  if (std::none_of(begin, tokens.end(), is_unknown)) return;
  const std::vector<Subword> found(begin, tokens.end());
  tokens.resize(first);
  for (const Subword& token : found) {
    is_unknown(token) ? append_run(piece, token, tokens) : tokens.push_back(token);
  }
}

/// A run of unknown characters: the token that spells it, if there is one after all, else the bytes, when each has a
/// token, else the unknown token.
void UnigramModel::append_run(std::string_view piece, Subword run, std::vector<Subword>& tokens) const {
  const std::string_view text = piece.substr(run.begin, run.end - run.begin);
  const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
  if (const std::int32_t id = trie_.find(text); id >= 0) {
    tokens.push_back({id, run.begin, run.end});
  } else if (spec_.byte_fallback && std::all_of(text.begin(), text.end(), [&](char c) { return id_of(c) >= 0; })) {
    for (const char byte : text) tokens.push_back({id_of(byte), run.begin, run.end});
  } else {
    tokens.push_back(run);
  }
}

std::optional<std::int32_t> UnigramModel::token_to_id(std::string_view token) const {
  const std::int32_t id = trie_.find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::string UnigramModel::id_to_token(std::int32_t id) const { return spec_.tokens[static_cast<std::size_t>(id)]; }

}  // namespace hone
