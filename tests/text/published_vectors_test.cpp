#include "io/file.h"
#include "io/table.h"
#include "text/bpe_tokenizer.h"
#include "text/split_patterns.h"
#include "text/tiktoken_ranks.h"
#include "text/tokenizer_json.h"
#include "text/vocab_merges.h"

#include "support/golden.h"

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

std::vector<std::string> split_by(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

/// The prompts of a gguf_vocab pair of files and their ids.
void check_gguf(const fs::path& data, const std::string& name, const Tokenizer& tokenizer) {
  const fs::path stem = data / "tokenizers" / "gguf_vocab" / ("ggml-vocab-" + name + ".gguf");
  const auto prompts = split_by(read_file(stem.string() + ".inp"), "\n__ggml_vocab_test__\n");
  const auto lines = split_by(read_file(stem.string() + ".out"), "\n");
  REQUIRE(lines.size() >= 46);
  for (std::size_t i = 0; i < 46; ++i) {
    Ids expected;
    for (const std::string& word : split_by(lines[i], " ")) {
      if (!word.empty()) expected.push_back(std::stoi(word));
    }
    INFO(name, " prompt ", i, ": ", prompts[i]);
    CHECK(tokenizer.encode(prompts[i]) == expected);
    CHECK(tokenizer.decode(expected) == prompts[i]);
  }
}

BpeSpec gpt2_spec(const fs::path& data) {
  const fs::path folder = data / "tokenizers" / "gpt2";
  return read_vocab_merges(folder / "encoder.json", folder / "vocab.bpe");
}

std::unique_ptr<Tokenizer> tiktoken(const fs::path& file, std::string_view split) {
  BpeSpec spec = read_tiktoken_ranks(file);
  spec.splits = {std::string(split)};
  return make_bpe_tokenizer(std::move(spec), file.string());
}

void check_encodings(const fs::path& csv, const Tokenizer& tokenizer) {
  const auto table = open_table(csv);
  std::int64_t rows = 0;
  while (const auto row = table->next()) {
    const std::string& text = row->value.at("input").as_string();
    INFO(csv.string(), ":", row->line);
    const Ids expected = ids_of(Json::parse(row->value.at("output").as_string(), "output"));
    CHECK(tokenizer.encode(text) == expected);
    CHECK(tokenizer.decode(expected) == text);
    rows = row->number;
  }
  CHECK(rows > 400);
}

}  // namespace

TEST_CASE("text: GPT-2 gives its published ids") {
  HONE_NEEDS_TEST_DATA(data);
  check_gguf(data, "gpt-2", *make_bpe_tokenizer(gpt2_spec(data), "gpt2"));
}

TEST_CASE("text: Qwen2 gives its published ids, from vocab.json and merges.txt") {
  HONE_NEEDS_TEST_DATA(data);
  const auto tokenizer = load_tokenizer(data / "tokenizers" / "qwen2");
  check_gguf(data, "qwen2", *tokenizer);
  CHECK(tokenizer->eos_id() == 151645);
  CHECK(tokenizer->pad_id() == 151643);
  CHECK(!tokenizer->bos_id());
  CHECK(tokenizer->encode("<|im_end|>", AddSpecial::no, SpecialTokens::parse) == Ids{151645});
  CHECK(tokenizer->encode("<|im_end|>").size() > 1);
}

TEST_CASE("text: Llama 3 gives its published ids, from tiktoken ranks") {
  HONE_NEEDS_TEST_DATA(data);
  check_gguf(data, "llama-bpe", *tiktoken(data / "tokenizers" / "llama3_tiktoken" / "tiktoken.model", kLlama3Split));
}

TEST_CASE("text: cl100k_base and r50k_base give their published ids") {
  HONE_NEEDS_TEST_DATA(data);
  const fs::path folder = data / "tokenizers" / "tiktoken";
  check_encodings(folder / "cl100k_base_encodings.csv", *tiktoken(folder / "cl100k_base.tiktoken", kLlama3Split));
  check_encodings(folder / "r50k_base_encodings.csv", *tiktoken(folder / "r50k_base.tiktoken", kGpt2Split));
}

TEST_CASE("text: the golden vectors of GPT-2, also with added tokens that swallow white space") {
  HONE_NEEDS_TEST_DATA(data);
  const auto plain = make_bpe_tokenizer(gpt2_spec(data), "gpt2");
  BpeSpec spec = gpt2_spec(data);
  std::int32_t id = 50257;
  spec.added = {{.id = 50256, .text = "<|endoftext|>", .lstrip = true, .rstrip = true}};
  for (const char* text : {"ACCEPT", "DECLINE", "NO_ACTION", "WALK_10M", "WALK_60M", "<reward>", "<avail_actions>"}) {
    spec.added.push_back({.id = id++, .text = text, .lstrip = true, .rstrip = true});
  }
  const auto extended = make_bpe_tokenizer(std::move(spec), "gpt2+added");
  int checked = 0;
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  for (const Json& vector : golden.at("vectors").as_array()) {
    const std::string& name = vector.at("tokenizer").as_string();
    if (name != "gpt2" && name != "gpt2+added") continue;
    const Tokenizer& tokenizer = name == "gpt2" ? *plain : *extended;
    const std::string& text = vector.at("text").as_string();
    INFO(name, ": ", text);
    CHECK(tokenizer.encode(text, AddSpecial::no, SpecialTokens::parse) == ids_of(vector.at("ids")));
    ++checked;
  }
  CHECK(checked == 11);
}

TEST_CASE("text: the golden ChatML conversation of the tiny BPE") {
  HONE_NEEDS_TEST_DATA(data);
  const auto tokenizer = load_tokenizer(data / "tokenizers" / "torchtune_assets" / "tiny_bpe_tokenizer.json");
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  const Json& chat = golden.at("chat_tokenisation").as_array()[0];
  REQUIRE(chat.at("format").as_string().find("tiny_bpe") != std::string::npos);
  const auto& messages = chat.at("messages").as_array();
  std::string text;
  for (const Json& message : messages) {
    text += "<|im_start|>" + message.at("role").as_string() + "\n" + message.at("content").as_string() + "<|im_end|>";
    if (&message != &messages.back()) text += "\n";
  }
  CHECK(tokenizer->encode(text, AddSpecial::no, SpecialTokens::parse) == ids_of(chat.at("ids")));
}

TEST_CASE("text: the golden Llama 3 turns of the small ranks") {
  HONE_NEEDS_TEST_DATA(data);
  BpeSpec spec = read_tiktoken_ranks(data / "tokenizers" / "torchtune_assets" / "tiktoken_small.model");
  spec.added = {{.id = 128000, .text = "<|begin_of_text|>"},
                {.id = 128001, .text = "<|end_of_text|>"},
                {.id = 128006, .text = "<|start_header_id|>"},
                {.id = 128007, .text = "<|end_header_id|>"},
                {.id = 128009, .text = "<|eot_id|>"}};
  const auto tokenizer = make_bpe_tokenizer(std::move(spec), "tiktoken_small.model");
  const Json golden = test::golden_file(data, "tokenizer_vectors.json");
  for (const std::size_t index : {std::size_t{5}, std::size_t{6}}) {
    const Json& chat = golden.at("chat_tokenisation").as_array()[index];
    REQUIRE(chat.at("format").as_string().find("tiktoken_small") != std::string::npos);
    const Json& message = chat.at("messages").as_array()[0];
    const std::string turn = "<|start_header_id|>" + message.at("role").as_string() + "<|end_header_id|>\n\n" +
                             message.at("content").as_string() + "<|eot_id|>";
    const std::string text = index == 5 ? "<|begin_of_text|>" + turn : turn + "<|end_of_text|>";
    CHECK(tokenizer->encode(text, AddSpecial::no, SpecialTokens::parse) == ids_of(chat.at("ids")));
  }
}

}  // namespace hone
