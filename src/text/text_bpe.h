#pragma once

#include "text/pair_table.h"
#include "text/subword_model.h"
#include "text/token_map.h"

#include <array>
#include <vector>

namespace hone {

/// BPE over characters, with everything that the `BPE` model of tokenizer.json knows.
struct TextBpeSpec {
  std::vector<std::string> tokens;                            ///< by id; "": not used
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  ///< by rank
  std::optional<std::int32_t> unknown;                        ///< for characters that are no tokens; without it they go
  bool fuse_unk = false;                                      ///< neighbouring unknown characters are one token
  bool byte_fallback = false;             ///< an unknown character becomes the tokens <0x00> to <0xFF> of its bytes
  bool ignore_merges = false;             ///< a piece that is a token stays whole, whatever the merges say
  std::string continuing_subword_prefix;  ///< of characters that do not open the piece
  std::string end_of_word_suffix;         ///< of the character that ends the piece
};

class TextBpeModel final : public SubwordModel {
 public:
  /// Error{data} for a merge whose result is no token.
  TextBpeModel(TextBpeSpec spec, const std::string& source);

  void tokenize(std::string_view piece, std::vector<Subword>& tokens) const override;
  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return tokens_.id(token); }
  std::string id_to_token(std::int32_t id) const override { return tokens_.token(id); }
  std::int32_t vocab_size() const override { return tokens_.size(); }
  std::optional<std::int32_t> unknown_id() const override { return spec_.unknown; }

 private:
  /// Symbols before they merge, each with where it ends.
  struct Symbols {
    std::vector<std::int32_t> ids;
    std::vector<std::uint32_t> ends;
    void add(std::int32_t id, std::uint32_t size) {
      ids.push_back(id);
      ends.push_back((ends.empty() ? 0 : ends.back()) + size);
    }
  };

  void add_merges(const std::string& source);
  void find_openers();
  Symbols symbols_of(std::string_view piece) const;
  bool add_bytes(std::string_view spelled, Symbols& symbols) const;
  std::size_t merge_in_parts(Symbols& symbols) const;

  TextBpeSpec spec_;
  TokenMap tokens_;
  PairTable merges_;
  std::array<std::int32_t, 256> byte_ids_{};
  /// Of each token: it is a character that no merge joins to another one before it ("▁" as a rule), so that a text can
  /// be merged in parts that begin with it.
  std::vector<bool> opens_;
};

}  // namespace hone
