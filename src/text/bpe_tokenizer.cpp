#include "text/bpe_tokenizer.h"

#include "base/error.h"
#include "base/utf8.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/byte_alphabet.h"
#include "text/nfc.h"
#include "text/split_patterns.h"
#include "text/splitter.h"
#include "text/tokenizer_json.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

std::vector<AddedToken> matched_in_text(const std::vector<AddedToken>& added, SpecialTokens special) {
  std::vector<AddedToken> result;
  for (const AddedToken& token : added) {
    if (special == SpecialTokens::parse || !token.special) result.push_back(token);
  }
  return result;
}

class BpeTokenizer : public Tokenizer {
 public:
  BpeTokenizer(BpeSpec spec, const std::string& source);

  Ids encode(std::string_view text, AddSpecial add, SpecialTokens special) const override;
  std::string_view id_to_bytes(std::int32_t id) const override {
    return id < vocab_size() ? std::string_view(bytes_[checked(id)]) : std::string_view();
  }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  std::string id_to_token(std::int32_t id) const override;
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(bytes_.size()); }
  std::optional<std::int32_t> bos_id() const override { return bos_; }
  std::optional<std::int32_t> eos_id() const override { return eos_; }
  std::optional<std::int32_t> pad_id() const override { return pad_; }
  bool is_special(std::int32_t id) const override { return id < vocab_size() && special_[checked(id)]; }
  std::vector<SpecialToken> special_tokens() const override;
  void save(const std::filesystem::path& directory) const override { write_tokenizer_json(spec_, directory); }

 private:
  /// Memory that one call to `encode` reuses from piece to piece.
  struct Workspace {
    Splitter::Scratch scratch;
    std::vector<std::string_view> pieces;
    std::vector<std::string_view> next_pieces;
    std::vector<std::string_view> words;
    std::string prefixed;
  };

  std::size_t checked(std::int32_t id) const {
    HONE_ASSERT(id >= 0 && id < vocab_size());
    return static_cast<std::size_t>(id);
  }
  void add_tokens(const std::string& source);
  std::optional<std::int32_t> named(const std::optional<std::string>& name, std::string_view role,
                                    const std::string& source) const;
  void encode_plain(std::string_view text, Workspace& work, Ids& ids) const;
  void encode_valid(std::string_view text, Workspace& work, Ids& ids) const;
  void encode_piece(std::string_view piece, Workspace& work, Ids& ids) const;

  BpeSpec spec_;
  BpeModel model_;
  std::vector<Splitter> splits_;
  std::optional<Splitter> byte_level_split_;
  AddedTokenMatcher always_;   // added tokens that are ordinary text to their users
  AddedTokenMatcher parsing_;  // those and the special ones
  std::vector<std::string> bytes_;
  std::vector<bool> special_;
  std::unordered_map<std::string, std::int32_t> added_ids_;
  std::optional<std::int32_t> bos_, eos_, pad_;
};

BpeTokenizer::BpeTokenizer(BpeSpec spec, const std::string& source)
    : spec_(std::move(spec)),
      model_(spec_, source),
      always_(matched_in_text(spec_.added, SpecialTokens::as_text)),
      parsing_(matched_in_text(spec_.added, SpecialTokens::parse)),
      bytes_(spec_.tokens) {
  for (const std::string& pattern : spec_.splits) splits_.emplace_back(pattern, source);
  if (spec_.byte_level_split) byte_level_split_.emplace(kGpt2Split, source);
  add_tokens(source);
  bos_ = named(spec_.bos, "bos_token", source);
  eos_ = named(spec_.eos, "eos_token", source);
  pad_ = named(spec_.pad, "pad_token", source);
  for (const Ids* ids : {&spec_.prefix, &spec_.suffix}) {
    for (const std::int32_t id : *ids) {
      if (id < 0 || id >= vocab_size()) {
        fail(ErrorKind::data, "{}: the post-processor adds id {}, outside the vocabulary of {}", source, id,
             vocab_size());
      }
    }
  }
}

void BpeTokenizer::add_tokens(const std::string& source) {
  for (const AddedToken& token : spec_.added) {
    const auto id = static_cast<std::size_t>(token.id);
    if (!added_ids_.emplace(token.text, token.id).second) {
      fail(ErrorKind::data, "{}: added token {} is listed twice", source, token.text);
    }
    if (id >= bytes_.size()) bytes_.resize(id + 1);
    special_.resize(bytes_.size());
    if (!bytes_[id].empty() && bytes_[id] != token.text) {
      fail(ErrorKind::data, "{}: id {} is both added token {} and {}", source, id, token.text,
           to_byte_alphabet(bytes_[id]));
    }
    bytes_[id] = token.text;
    special_[id] = token.special;
  }
  special_.resize(bytes_.size());
}

std::optional<std::int32_t> BpeTokenizer::named(const std::optional<std::string>& name, std::string_view role,
                                                const std::string& source) const {
  if (!name) return std::nullopt;
  const auto id = token_to_id(*name);
  if (!id) fail(ErrorKind::data, "{}: {} {} is not in the vocabulary", source, role, *name);
  return id;
}

Ids BpeTokenizer::encode(std::string_view text, AddSpecial add, SpecialTokens special) const {
  const AddedTokenMatcher& matcher = special == SpecialTokens::parse ? parsing_ : always_;
  Workspace work;
  Ids ids;
  ids.reserve(text.size() / 3 + 4);
  if (add == AddSpecial::yes) ids = spec_.prefix;
  std::size_t done = 0;
  while (const auto match = matcher.find(text, done)) {
    encode_plain(text.substr(done, match->begin - done), work, ids);
    ids.push_back(match->id);
    done = match->end;
  }
  encode_plain(text.substr(done), work, ids);
  if (add == AddSpecial::yes) ids.insert(ids.end(), spec_.suffix.begin(), spec_.suffix.end());
  return ids;
}

/// Text without added tokens, perhaps with bytes that are not UTF-8: those are encoded one by one.
void BpeTokenizer::encode_plain(std::string_view text, Workspace& work, Ids& ids) const {
  while (!text.empty()) {
    const std::size_t bad = first_invalid_utf8(text);
    if (bad != 0) encode_valid(text.substr(0, bad), work, ids);
    if (bad == std::string_view::npos) return;
    model_.encode(text.substr(bad, 1), ids);
    text.remove_prefix(bad + 1);
  }
}

void BpeTokenizer::encode_valid(std::string_view text, Workspace& work, Ids& ids) const {
  const bool normalize = spec_.nfc && !is_surely_nfc(text);
  const std::string normalized = normalize ? to_nfc(text) : std::string();
  work.pieces.assign(1, normalize ? std::string_view(normalized) : text);
  for (const Splitter& splitter : splits_) {
    work.next_pieces.clear();
    for (const std::string_view piece : work.pieces) splitter.split(piece, work.scratch, work.next_pieces);
    work.pieces.swap(work.next_pieces);
  }
  for (const std::string_view piece : work.pieces) {
    if (spec_.add_prefix_space && piece[0] != ' ') {
      work.prefixed.assign(1, ' ').append(piece);
      encode_piece(work.prefixed, work, ids);
    } else {
      encode_piece(piece, work, ids);
    }
  }
}

void BpeTokenizer::encode_piece(std::string_view piece, Workspace& work, Ids& ids) const {
  if (!byte_level_split_) return model_.encode(piece, ids);
  work.words.clear();
  byte_level_split_->split(piece, work.scratch, work.words);
  for (const std::string_view word : work.words) model_.encode(word, ids);
}

std::optional<std::int32_t> BpeTokenizer::token_to_id(std::string_view token) const {
  if (const auto added = added_ids_.find(std::string(token)); added != added_ids_.end()) return added->second;
  if (first_invalid_utf8(token) != std::string_view::npos) return std::nullopt;
  const auto bytes = from_byte_alphabet(token);
  const std::int32_t id = bytes && !bytes->empty() ? model_.find(*bytes) : -1;
  return id < 0 ? std::nullopt : std::optional(id);
}

std::string BpeTokenizer::id_to_token(std::int32_t id) const {
  const std::string& bytes = bytes_[checked(id)];
  const auto added = added_ids_.find(bytes);
  return added != added_ids_.end() && added->second == id ? bytes : to_byte_alphabet(bytes);
}

std::vector<SpecialToken> BpeTokenizer::special_tokens() const {
  std::vector<SpecialToken> result;
  for (const AddedToken& token : spec_.added) {
    if (token.special) result.push_back({token.id, token.text});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return result;
}

}  // namespace

std::unique_ptr<Tokenizer> make_bpe_tokenizer(BpeSpec spec, const std::string& source) {
  return std::make_unique<BpeTokenizer>(std::move(spec), source);
}

}  // namespace hone
