#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hone {

/// What a SentencePiece file (tokenizer.model, spiece.model) says: the parts of its ModelProto that decide ids.
struct SentencePieceModel {
  enum class PieceType : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  enum class Algorithm : std::uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };

  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::normal;
  };

  std::vector<Piece> pieces;  ///< by id
  std::int32_t unknown = 0;   ///< the one piece of type unknown

  // trainer_spec
  Algorithm algorithm = Algorithm::unigram;
  bool byte_fallback = false;                      ///< then each of the 256 bytes has a piece
  bool whitespace_as_suffix = false;               ///< the mark of a word's border comes after the word
  std::int32_t unknown_id = 0;                     ///< as trainer_spec states it; `unknown` is what the pieces say
  std::string unknown_surface = " \xE2\x81\x87 ";  ///< what an unknown piece is decoded to
  std::string unknown_piece = "<unk>";
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string pad_piece = "<pad>";

  // normalizer_spec
  std::string charsmap;                  ///< see PrecompiledMap; empty: text is taken as it is
  bool add_dummy_prefix = true;          ///< a space before the text
  bool remove_extra_whitespaces = true;  ///< none at the ends, one between words
  bool escape_whitespaces = true;        ///< a space becomes ▁ (U+2581)

  /// The id of a piece of a type, e.g. the control piece "<s>".
  std::optional<std::int32_t> find(std::string_view text, PieceType type) const;
};

/// The mark that stands for a space in pieces.
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// Reads the bytes of a ModelProto. Error{data} names `source`, what is wrong and where: a malformed message, no piece,
/// an empty piece or one given twice, not exactly one unknown piece, text that is not UTF-8, an unknown type,
/// byte_fallback without its 256 pieces, a score that is not finite.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& source);
SentencePieceModel read_sentencepiece(const std::filesystem::path& path);

/// The byte that a piece spelled "<0x0A>" stands for.
std::optional<unsigned char> byte_of_piece(std::string_view piece);

}  // namespace hone
