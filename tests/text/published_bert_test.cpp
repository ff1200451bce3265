#include "base/json.h"
#include "io/file.h"
#include "support/golden.h"
#include "support/scratch.h"
#include "text/sentencepiece/encoder.h"
#include "text/tokenizer_json.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

Ids ids_of(const Json& list) {
  Ids ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// Of the special tokens only those of `never_split` are matched, as the case says.
Ids encode_case(const Tokenizer& tokenizer, const std::string& text, const Json& options) {
  const AddSpecial add = options.at("add_special").as_bool() ? AddSpecial::yes : AddSpecial::no;
  const Json* never_split = options.find("never_split");
  if (never_split == nullptr || never_split->is_null()) return tokenizer.encode(text, add);
  std::vector<TextRange> untrusted;
  if (const std::size_t at = text.find("[SEP]"); at != std::string::npos) untrusted.push_back({at, at + 5});
  return tokenizer.encode_rendered(text, untrusted, add);
}

std::vector<std::string> lines_of(std::string text, std::string_view separator) {
  std::vector<std::string> lines;
  for (std::size_t at; (at = text.find(separator)) != std::string::npos; text.erase(0, at + separator.size())) {
    lines.push_back(text.substr(0, at));
  }
  return lines;
}

}  // namespace

TEST_CASE("text: the golden vectors of BERT, uncased from tokenizer.json and cased from vocab.txt") {
  HONE_NEEDS_TEST_DATA(data);
  const fs::path folder = data / "tokenizers" / "bert";
  const test::Scratch scratch;
  scratch.file("vocab.txt", read_file(folder / "bert-base-cased-vocab.txt"));
  scratch.file("tokenizer_config.json", R"({"tokenizer_class": "BertTokenizer", "do_lower_case": false})");
  const auto cased = load_tokenizer(scratch.path());
  const auto uncased = load_tokenizer(folder / "bert-base-uncased-tokenizer.json");
  int checked = 0;
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  for (const Json& vector : golden.at("vectors").as_array()) {
    const std::string& name = vector.at("tokenizer").as_string();
    if (name != "bert-base-uncased" && name != "bert-base-cased") continue;
    const std::string& text = vector.at("text").as_string();
    INFO(name, ": ", text);
    const Tokenizer& tokenizer = name == "bert-base-cased" ? *cased : *uncased;
    CHECK(encode_case(tokenizer, text, vector.at("options")) == ids_of(vector.at("ids")));
    ++checked;
  }
  CHECK(checked == 31);
}

TEST_CASE("text: the golden padding of MiniLM") {
  HONE_NEEDS_TEST_DATA(data);
  const auto tokenizer = load_tokenizer(data / "tokenizers" / "bert" / "all-minilm-l6-v2-tokenizer.json");
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  int checked = 0;
  for (const Json& vector : golden.at("vectors").as_array()) {
    if (vector.at("tokenizer").as_string() != "all-minilm-l6-v2 (daulet copy, pads to multiple of 8)") continue;
    const TextPair text{vector.at("text").as_string(), std::nullopt};
    const EncodedText padded = tokenizer->encode_batch(std::span(&text, 1), AddSpecial::no)[0];
    CHECK(padded.ids == ids_of(vector.at("ids")));
    CHECK(Ids(padded.attention.begin(), padded.attention.end()) ==
          ids_of(vector.at("options").at("attention_mask")));
    ++checked;
  }
  CHECK(checked == 1);
}

TEST_CASE("text: the golden vectors of Llama 2, from its SentencePiece model") {
  HONE_NEEDS_TEST_DATA(data);
  const fs::path file = data / "tokenizers" / "llama2_spm" / "tokenizer.model";
  const SentencePieceEncoder encoder(parse_sentencepiece(read_file(file), file.string()), file.string());
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  int checked = 0;
  for (const Json& vector : golden.at("vectors").as_array()) {
    if (vector.at("tokenizer").as_string() != "llama2_spm") continue;
    Ids expected = ids_of(vector.at("ids"));
    REQUIRE(expected.front() == 1);  // its bos
    expected.erase(expected.begin());
    CHECK(encoder.encode(vector.at("text").as_string()) == expected);
    ++checked;
  }
  CHECK(checked == 5);
}

TEST_CASE("text: BERT gives the ids of the vectors published with GGUF files") {
  HONE_NEEDS_TEST_DATA(data);
  const fs::path stem = data / "tokenizers" / "gguf_vocab" / "ggml-vocab-bert-bge.gguf";
  const auto prompts = lines_of(read_file(stem.string() + ".inp"), "\n__ggml_vocab_test__\n");
  const auto lines = lines_of(read_file(stem.string() + ".out"), "\n");
  const auto tokenizer = load_tokenizer(data / "tokenizers" / "bert" / "bert-base-uncased-tokenizer.json");
  REQUIRE(prompts.size() >= 46);
  REQUIRE(lines.size() >= 46);
  for (std::size_t i = 0; i < 46; ++i) {
    Ids expected;
    for (const std::string& word : lines_of(lines[i] + " ", " ")) {
      if (!word.empty()) expected.push_back(std::stoi(word));
    }
    INFO(prompts[i]);
    CHECK(tokenizer->encode(prompts[i]) == expected);
  }
}

TEST_CASE("text: tiktoken files of known names split as their encoding does, with its special tokens") {
  HONE_NEEDS_TEST_DATA(data);
  const fs::path folder = data / "tokenizers" / "tiktoken";
  const auto r50k = load_tokenizer(folder / "r50k_base.tiktoken");
  CHECK(r50k->encode("  2") == Ids{220, 362});
  CHECK(r50k->encode("<|endoftext|>", AddSpecial::no, SpecialTokens::parse) == Ids{50256});
  const auto cl100k = load_tokenizer(folder / "cl100k_base.tiktoken");
  CHECK(cl100k->encode("<|fim_middle|><|endofprompt|>", AddSpecial::no, SpecialTokens::parse) == Ids{100259, 100276});
  const auto llama3 = load_tokenizer(data / "tokenizers" / "llama3_tiktoken");
  CHECK(llama3->bos_id() == 128000);
  CHECK(llama3->encode("hi", AddSpecial::yes).front() == 128000);
  CHECK(llama3->encode("<|eot_id|>", AddSpecial::no, SpecialTokens::parse) == Ids{128009});
}

}  // namespace hone
