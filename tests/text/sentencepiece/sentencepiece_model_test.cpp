#include "text/sentencepiece/model.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "text/base64.h"
#include "text/sentencepiece/encoder.h"
#include "text/sentencepiece/proto_reader.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

using Type = SentencePieceModel::PieceType;

std::string small_model(std::string_view name) {
  const Json golden = test::committed_golden("sentencepiece.json");
  for (const Json& small : golden.at("small").as_array()) {
    if (small.at("name").as_string() == name) return *from_base64(small.at("model").as_string());
  }
  throw std::runtime_error("no such model");
}

/// One ModelProto piece.
std::string piece(std::string_view text, char type) {
  const std::string body = std::string("\x0A") + static_cast<char>(text.size()) + std::string(text) + "\x18" + type;
  return std::string("\x0A") + static_cast<char>(body.size()) + body;
}

std::vector<std::uint64_t> fields(std::string_view message) {
  const std::string source = "message";
  ProtoReader reader(message, source);
  std::vector<std::uint64_t> numbers;
  while (reader.next()) numbers.push_back(reader.field());
  return numbers;
}

}  // namespace

TEST_CASE("text: a SentencePiece file gives pieces, types, scores and rules") {
  const SentencePieceModel model = parse_sentencepiece(small_model("bpe_rules"), "m");
  CHECK(model.algorithm == SentencePieceModel::Algorithm::bpe);
  CHECK(model.pieces.size() >= 290);
  CHECK(model.unknown == 0);
  CHECK(model.pieces[0].text == "<unk>");
  CHECK(model.find("<s>", Type::control) == 1);
  CHECK(model.find("</s>", Type::control) == 2);
  CHECK(model.find("<sep>", Type::user_defined) == 3);
  CHECK(!model.find("<sep>", Type::normal));
  CHECK(!model.charsmap.empty());
  CHECK(model.add_dummy_prefix);
  CHECK(model.remove_extra_whitespaces);
  CHECK(!model.byte_fallback);
  const SentencePieceModel bytes = parse_sentencepiece(small_model("bpe_bytes"), "m");
  CHECK(bytes.byte_fallback);
  CHECK(!bytes.remove_extra_whitespaces);
  CHECK(bytes.charsmap.empty());
  CHECK(bytes.pieces[3].text == "<0x00>");
  CHECK(bytes.pieces[3].type == Type::byte);
  CHECK(parse_sentencepiece(small_model("bpe_suffix"), "m").whitespace_as_suffix);
  CHECK(!parse_sentencepiece(small_model("unigram_plain"), "m").add_dummy_prefix);
}

TEST_CASE("text: only <0x00> to <0xFF> spell bytes") {
  CHECK(byte_of_piece("<0x0A>") == 10);
  CHECK(byte_of_piece("<0xFF>") == 255);
  for (const char* text : {"<0xff>", "<0x0A", "<0x0G>", "<0x+1>", "<0x1 >", "0x0A>>", "<0x00A>"}) {
    CHECK(!byte_of_piece(text));
  }
}

TEST_CASE("text: a protobuf message that breaks its own rules is refused with the place") {
  CHECK(fields("\x08\x01\x12\x02hi\x1D____!________") == std::vector<std::uint64_t>{1, 2, 3, 4});
  HONE_CHECK_ERROR(data, fields("\x08"), "message", "byte 2", "cut off");
  HONE_CHECK_ERROR(data, fields("\x08\x80\x80"), "cut off");
  HONE_CHECK_ERROR(data, fields("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), "64 bits");
  HONE_CHECK_ERROR(data, fields("\x12\x05hi"), "5 bytes are announced, 2 are left");
  HONE_CHECK_ERROR(data, fields("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), "are announced");
  HONE_CHECK_ERROR(data, fields("\x1D__"), "4 bytes are announced");
  HONE_CHECK_ERROR(data, fields("\x0B"), "wire type 3");
  HONE_CHECK_ERROR(data, fields(std::string_view("\x00\x01", 2)), "field number 0");
  const std::string source = "m";
  ProtoReader number("\x08\x01", source);
  number.next();
  HONE_CHECK_ERROR(data, number.bytes(), "field 1", "expected 2");
}

TEST_CASE("text: a SentencePiece file that contradicts itself is refused by name") {
  const std::string unknown = piece("<unk>", 2);
  CHECK(parse_sentencepiece(unknown + piece("a", 1), "m").pieces.size() == 2);
  HONE_CHECK_ERROR(data, parse_sentencepiece("", "m.model"), "m.model", "no pieces");
  HONE_CHECK_ERROR(data, parse_sentencepiece(piece("a", 1), "m.model"), "0 pieces are of type unknown");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("b", 2), "m.model"), "2 pieces are of type unknown");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("a", 1) + piece("a", 1), "m"), "\"a\"", "piece 1",
                   "piece 2");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("", 1), "m"), "piece 1 is empty");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("a", 9), "m"), "unknown type 9");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("0A", 6), "m"), "piece 1 is a byte");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + piece("\xFF", 1), "m"), "not valid UTF-8");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + "\x12\x03\x98\x02\x01", "m"), "byte_fallback", "0 of 256");
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + "\x12\x02\x18\x09", "m"), "model_type 9");
  const std::string infinite = "\x0A\x08\x0A\x01z\x15" + std::string("\x00\x00\x80\x7F", 4);
  HONE_CHECK_ERROR(data, parse_sentencepiece(unknown + infinite, "m"), "score");
}

TEST_CASE("text: damaged SentencePiece files are read or refused, never worse") {
  for (const char* name : {"unigram_rules", "bpe_rules"}) {
    const std::string good = small_model(name);
    const auto survive = [](const std::string& bytes) {
      try {
        const SentencePieceEncoder encoder(parse_sentencepiece(bytes, "m"), "m");
        encoder.decode(encoder.encode("the quick ﬁ e\u0301 日本 \xFF <sep>"));
        return true;
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::data);
        return false;
      }
    };
    for (std::size_t size = 0; size < good.size(); size += 1 + good.size() / 97) survive(good.substr(0, size));
    std::size_t read = 0;
    for (std::size_t i = 0; i < good.size(); i += 1 + good.size() / 211) {
      for (const int bit : {0, 3, 7}) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1 << bit);
        read += survive(bad);
      }
    }
    CHECK(read > 0);  // a flipped bit in a score changes nothing else
  }
}

}  // namespace hone
