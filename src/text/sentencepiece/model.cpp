#include "text/sentencepiece/model.h"

#include "base/error.h"
#include "base/utf8.h"
#include "io/file.h"
#include "text/sentencepiece/proto_reader.h"

#include <bitset>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace hone {
namespace {

using Piece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

std::string text_of(const ProtoReader& reader, const std::string& source) {
  const std::string_view bytes = reader.bytes();
  if (first_invalid_utf8(bytes) != std::string_view::npos) {
    fail(ErrorKind::data, "{}: field {}: \"{}\" is not valid UTF-8", source, reader.field(), valid_utf8(bytes));
  }
  return std::string(bytes);
}

Piece read_piece(ProtoReader reader, std::size_t id, const std::string& source) {
  Piece piece;
  while (reader.next()) {
    if (reader.field() == 1) {
      piece.text = text_of(reader, source);
    } else if (reader.field() == 2) {
      piece.score = reader.float32();
    } else if (reader.field() == 3) {
      const std::uint64_t type = reader.varint();
      if (type < 1 || type > 6) fail(ErrorKind::data, "{}: piece {} has the unknown type {}", source, id, type);
      piece.type = static_cast<PieceType>(type);
    }
  }
  if (piece.text.empty()) fail(ErrorKind::data, "{}: piece {} is empty", source, id);
  if (!std::isfinite(piece.score)) {
    fail(ErrorKind::data, "{}: piece {} (\"{}\") has the score {}", source, id, piece.text, piece.score);
  }
  return piece;
}

void read_trainer_spec(ProtoReader reader, const std::string& source, SentencePieceModel& model) {
  while (reader.next()) {
    switch (reader.field()) {
      case 3: {
        const std::uint64_t type = reader.varint();
        if (type < 1 || type > 4) fail(ErrorKind::data, "{}: model_type {} is unknown", source, type);
        model.algorithm = static_cast<SentencePieceModel::Algorithm>(type);
        break;
      }
      case 24: model.whitespace_as_suffix = reader.boolean(); break;
      case 35: model.byte_fallback = reader.boolean(); break;
      case 40: model.unknown_id = reader.int32(); break;
      case 44: model.unknown_surface = text_of(reader, source); break;
      case 45: model.unknown_piece = text_of(reader, source); break;
      case 46: model.bos_piece = text_of(reader, source); break;
      case 47: model.eos_piece = text_of(reader, source); break;
      case 48: model.pad_piece = text_of(reader, source); break;
      default: break;
    }
  }
}

void read_normalizer_spec(ProtoReader reader, SentencePieceModel& model) {
  while (reader.next()) {
    switch (reader.field()) {
      case 2: model.charsmap = reader.bytes(); break;
      case 3: model.add_dummy_prefix = reader.boolean(); break;
      case 4: model.remove_extra_whitespaces = reader.boolean(); break;
      case 5: model.escape_whitespaces = reader.boolean(); break;
      default: break;
    }
  }
}

/// Pieces are different, exactly one is unknown, and the bytes are all there or not needed.
void check_pieces(const std::string& source, SentencePieceModel& model) {
  if (model.pieces.empty()) fail(ErrorKind::data, "{}: no pieces: this is not a SentencePiece model", source);
  std::unordered_map<std::string_view, std::size_t> seen;
  std::bitset<256> bytes;
  std::size_t unknown = 0;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    const auto [place, is_new] = seen.emplace(piece.text, id);
    if (!is_new) {
      fail(ErrorKind::data, "{}: \"{}\" is piece {} and piece {}", source, piece.text, place->second, id);
    }
    if (piece.type == PieceType::unknown) {
      ++unknown;
      model.unknown = static_cast<std::int32_t>(id);
    }
    if (piece.type != PieceType::byte) continue;
    const auto byte = byte_of_piece(piece.text);
    if (!byte) {
      fail(ErrorKind::data, "{}: piece {} is a byte, but is spelled \"{}\", expected <0x00> to <0xFF>", source, id,
           piece.text);
    }
    bytes.set(*byte);
  }
  if (unknown != 1) fail(ErrorKind::data, "{}: {} pieces are of type unknown, expected one", source, unknown);
  if (model.byte_fallback && !bytes.all()) {
    fail(ErrorKind::data, "{}: byte_fallback is on, but only {} of 256 bytes have a piece", source, bytes.count());
  }
}

}  // namespace

std::optional<unsigned char> byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  unsigned char byte = 0;
  const auto parsed = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
  for (const char digit : piece.substr(3, 2)) {
    if (digit >= 'a' && digit <= 'f') return std::nullopt;  // SentencePiece writes capitals
  }
  if (parsed.ec != std::errc() || parsed.ptr != piece.data() + 5) return std::nullopt;
  return byte;
}

std::optional<std::int32_t> SentencePieceModel::find(std::string_view text, PieceType type) const {
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].type == type && pieces[id].text == text) return static_cast<std::int32_t>(id);
  }
  return std::nullopt;
}

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& source) {
  SentencePieceModel model;
  ProtoReader reader(bytes, source);
  while (reader.next()) {
    if (reader.field() == 1) {
      model.pieces.push_back(read_piece(reader.message(), model.pieces.size(), source));
    } else if (reader.field() == 2) {
      read_trainer_spec(reader.message(), source, model);
    } else if (reader.field() == 3) {
      read_normalizer_spec(reader.message(), model);
    }
  }
  check_pieces(source, model);
  return model;
}

SentencePieceModel read_sentencepiece(const std::filesystem::path& path) {
  return parse_sentencepiece(read_file(path), path.string());
}

}  // namespace hone
