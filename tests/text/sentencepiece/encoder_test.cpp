#include "text/sentencepiece/encoder.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/test_data.h"
#include "text/base64.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

void check_cases(const SentencePieceEncoder& encoder, const Json& cases) {
  for (const Json& test : cases.as_array()) {
    const std::vector<std::int32_t> expected = ids_of(test.at("ids"));
    INFO(test.at("text").dump());
    CHECK(encoder.encode(test.at("text").as_string()) == expected);
    CHECK(encoder.decode(expected) == test.at("decoded").as_string());
  }
}

SentencePieceEncoder encoder_of(const Json& golden, std::string_view name) {
  for (const Json& small : golden.at("small").as_array()) {
    if (small.at("name").as_string() != name) continue;
    return SentencePieceEncoder(parse_sentencepiece(*from_base64(small.at("model").as_string()), "golden"), "golden");
  }
  throw std::runtime_error("no such model");
}

/// A model of these pieces, whose ids start behind "<unk>".
SentencePieceModel model_of(std::vector<SentencePieceModel::Piece> pieces) {
  SentencePieceModel model;
  model.algorithm = SentencePieceModel::Algorithm::bpe;
  model.pieces = {{"<unk>", 0, SentencePieceModel::PieceType::unknown}};
  model.pieces.insert(model.pieces.end(), pieces.begin(), pieces.end());
  model.add_dummy_prefix = false;
  return model;
}

}  // namespace

TEST_CASE("text: small SentencePiece models give the ids and the text of the sentencepiece library") {
  const Json golden = test::committed_golden("sentencepiece.json");
  REQUIRE(golden.at("small").as_array().size() == 8);
  for (const Json& small : golden.at("small").as_array()) {
    INFO(small.at("name").as_string());
    check_cases(encoder_of(golden, small.at("name").as_string()), small.at("cases"));
  }
}

TEST_CASE("text: published SentencePiece models give the ids and the text of the sentencepiece library") {
  HONE_NEEDS_TEST_DATA(data);
  const Json golden = test::committed_golden("sentencepiece.json");
  REQUIRE(golden.at("published").as_array().size() == 4);
  for (const Json& published : golden.at("published").as_array()) {
    const std::string file = published.at("file").as_string();
    INFO(file);
    check_cases(SentencePieceEncoder(read_sentencepiece(data / "tokenizers" / file), file), published.at("cases"));
  }
}

TEST_CASE("text: llama-spm gives the ids of the vectors published with GGUF files") {
  HONE_NEEDS_TEST_DATA(data);
  const auto folder = data / "tokenizers";
  const SentencePieceEncoder encoder(read_sentencepiece(folder / "llama2_spm" / "tokenizer.model"), "llama2");
  std::string texts = read_file(folder / "gguf_vocab" / "ggml-vocab-llama-spm.gguf.inp");
  std::string ids = read_file(folder / "gguf_vocab" / "ggml-vocab-llama-spm.gguf.out");
  constexpr std::string_view kEnd = "\n__ggml_vocab_test__\n";
  std::size_t count = 0;
  for (std::size_t at = 0; at < texts.size(); ++count) {
    const std::size_t end = texts.find(kEnd, at);
    const std::string text = texts.substr(at, end - at);
    at = end == std::string::npos ? texts.size() : end + kEnd.size();
    std::string line = ids.substr(0, ids.find('\n'));
    ids.erase(0, ids.find('\n') + 1);
    std::string got;
    for (const std::int32_t id : encoder.encode(text)) got += " " + std::to_string(id);
    INFO(Json(text).dump());
    CHECK(got == line);
  }
  CHECK(count > 40);
}

TEST_CASE("text: SentencePiece text with broken bytes is read with U+FFFD, one for each byte") {
  const SentencePieceEncoder encoder = encoder_of(test::committed_golden("sentencepiece.json"), "bpe_bytes");
  CHECK(encoder.encode("a\xFF\xE3\x81z") == encoder.encode("a\uFFFD\uFFFD\uFFFDz"));
  CHECK(encoder.encode("\xF0\x9F") == encoder.encode("\uFFFD\uFFFD"));
}

TEST_CASE("text: SentencePiece merges equal scores from the left and takes unused pieces apart") {
  using Type = SentencePieceModel::PieceType;
  const SentencePieceEncoder ties(model_of({{"a", 0, Type::normal}, {"aa", -1, Type::normal}}), "ties");
  CHECK(ties.encode("aaaaa") == std::vector<std::int32_t>{2, 2, 1});
  const SentencePieceEncoder unused(
      model_of({{"a", -9, Type::normal}, {"b", -9, Type::normal}, {"ab", -1, Type::unused}, {"abb", -2, Type::normal}}),
      "unused");
  CHECK(unused.encode("ab") == std::vector<std::int32_t>{1, 2});
  CHECK(unused.encode("abb") == std::vector<std::int32_t>{4});
  // A character that is only a part of pieces still merges.
  const SentencePieceEncoder parts(model_of({{"xy", -1, Type::normal}}), "parts");
  CHECK(parts.encode("xyx") == std::vector<std::int32_t>{1, 0});
}

TEST_CASE("text: long runs take linear time, give or take a logarithm") {
  const Json golden = test::committed_golden("sentencepiece.json");
  for (const std::string_view name : {"bpe_bytes", "unigram_rules", "bpe_across"}) {
    const SentencePieceEncoder encoder = encoder_of(golden, name);
    for (const std::string_view unit : {"a", " ", "e", "🙂", "▁", "日本"}) {
      std::string text;
      while (text.size() < 200'000) text += unit;
      CHECK(encoder.encode(text).size() <= text.size() + 1);
    }
  }
}

TEST_CASE("text: SentencePiece models of other algorithms are refused by name") {
  SentencePieceModel model = model_of({});
  model.algorithm = SentencePieceModel::Algorithm::word;
  HONE_CHECK_ERROR(data, SentencePieceEncoder(model, "m.model"), "m.model", "word");
  model.algorithm = SentencePieceModel::Algorithm::unigram;
  model.charsmap = "\x10";
  HONE_CHECK_ERROR(data, SentencePieceEncoder(model, "m.model"), "m.model", "precompiled map");
}

}  // namespace hone
