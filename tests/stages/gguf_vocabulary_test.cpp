#include "stages/gguf_vocabulary.h"

#include "stages/gguf_model.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/gguf_reader.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

#include <map>

namespace hone {

using test::Scratch;
using Kind = GgufVocabulary::Kind;
namespace fs = std::filesystem;

namespace {

Json parse(std::string_view text) { return Json::parse(text, "tokenizer.json"); }

/// Byte-level BPE with a special token, an added one and a hole at id 5.
Json byte_level() {
  return parse(R"({"added_tokens": [{"id": 0, "content": "<s>", "special": true},
                                    {"id": 6, "content": "<tool>", "special": false}],
                   "normalizer": {"type": "NFC"},
                   "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
                   "post_processor": {"type": "ByteLevel"},
                   "model": {"type": "BPE", "vocab": {"<s>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4},
                             "merges": [["a", "b"]]}})");
}

Json sentencepiece() {
  return parse(R"({"added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                                    {"id": 1, "content": "<s>", "special": true},
                                    {"id": 9, "content": "▁▁x", "special": false}],
                   "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                     {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
                   "pre_tokenizer": null,
                   "post_processor": {"type": "TemplateProcessing",
                     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]},
                   "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
                             "vocab": {"<unk>": 0, "<s>": 1, "<0x41>": 2, "▁": 3, "a": 4, "b": 5, "ab": 6, "▁ab": 7, "▁a": 8},
                             "merges": ["a b", "▁ ab", "▁ a", "▁a b"]}})");
}

const Json kNoConfig = Json::object();

}  // namespace

TEST_CASE("stages: a byte-level vocabulary keeps its merges, kinds and holes") {
  const Json config = parse(R"({"bos_token": {"content": "<s>"}, "chat_template": "{{ x }}"})");
  const GgufVocabulary vocabulary =
      read_gguf_vocabulary(byte_level(), config, parse(R"({"eos_token_id": [6, 0]})"), 8);
  CHECK(vocabulary.model == "gpt2");
  CHECK(vocabulary.pre == "gpt-2");
  CHECK(vocabulary.tokens == std::vector<std::string>{"<s>", "a", "b", "ab", "Ġ", "[PAD5]", "<tool>", "[PAD7]"});
  CHECK(vocabulary.kinds == std::vector<Kind>{Kind::control, Kind::normal, Kind::normal, Kind::normal, Kind::normal,
                                              Kind::unused, Kind::user_defined, Kind::unused});
  CHECK(vocabulary.merges == std::vector<std::string>{"a b"});
  CHECK(vocabulary.scores.empty());
  CHECK(vocabulary.bos == 0);
  CHECK(vocabulary.eos == 6);
  CHECK_FALSE(vocabulary.pad.has_value());
  CHECK_FALSE(vocabulary.add_bos);
  CHECK(vocabulary.chat_template == "{{ x }}");
}

TEST_CASE("stages: a SentencePiece vocabulary's scores are the ranks of its merges") {
  const Json config = parse(R"({"bos_token": "<s>", "chat_template": [{"name": "tool", "template": "t"},
                                                                       {"name": "default", "template": "d"}]})");
  const GgufVocabulary vocabulary = read_gguf_vocabulary(sentencepiece(), config, kNoConfig, 10);
  CHECK(vocabulary.model == "llama");
  CHECK(vocabulary.kinds == std::vector<Kind>{Kind::unknown, Kind::control, Kind::byte, Kind::normal, Kind::normal,
                                              Kind::normal, Kind::normal, Kind::normal, Kind::normal,
                                              Kind::user_defined});
  CHECK(vocabulary.tokens[9] == "  x");
  CHECK(vocabulary.scores == std::vector<float>{-1e9f, -1e9f, -1e9f, -1e9f, -1e9f, -1e9f, 0, -1, -2, -1e9f});
  CHECK(vocabulary.merges.empty());
  CHECK(vocabulary.unknown == 0);
  CHECK(vocabulary.add_bos);
  CHECK_FALSE(vocabulary.add_eos);
  CHECK(vocabulary.add_space_prefix == true);
  CHECK(vocabulary.chat_template == "d");
}

TEST_CASE("stages: ways to split have llama.cpp's names, and others are refused") {
  const auto pre = [](std::string_view step, bool ignore_merges = false) {
    Json tokenizer = byte_level();
    tokenizer.set("pre_tokenizer", parse(step));
    Json model = tokenizer.at("model");
    model.set("ignore_merges", ignore_merges);
    tokenizer.set("model", model);
    return read_gguf_vocabulary(tokenizer, Json(), kNoConfig, 8).pre;
  };
  const auto split = [](std::string_view digits) {
    return fmt::format(
        R"({{"type": "Sequence", "pretokenizers": [{{"type": "Split", "behavior": "Isolated", "invert": false,
      "pattern": {{"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{{L}}\\p{{N}}]?\\p{{L}}+|\\p{{N}}{})"
        R"(| ?[^\\s\\p{{L}}\\p{{N}}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}}}},
      {{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}}]}})",
        digits);
  };
  CHECK(pre(split("{1,3}"), true) == "llama-bpe");
  CHECK(pre(split("{1,3}")) == "smaug-bpe");
  CHECK(pre(split("")) == "qwen2");
  CHECK(pre(R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
                {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]})") == "smollm");
  HONE_CHECK_ERROR(data, pre(split("{2}")), "pre_tokenizer", "no name for this split");
  HONE_CHECK_ERROR(data, pre(split(""), true), "pre_tokenizer");
  HONE_CHECK_ERROR(data, pre(R"({"type": "ByteLevel", "add_prefix_space": true})"), "pre_tokenizer", "no such step");
}

TEST_CASE("stages: tokenizers that llama.cpp would read otherwise are refused by key") {
  const auto refused = [](Json tokenizer, const char* key, std::string_view value, std::string_view expected) {
    tokenizer.set(key, parse(value));
    HONE_CHECK_ERROR(data, read_gguf_vocabulary(tokenizer, Json(), kNoConfig, 10), expected);
  };
  refused(byte_level(), "model", R"({"type": "WordPiece", "vocab": {}})", "WordPiece");
  refused(byte_level(), "model", R"({"type": "BPE", "vocab": {}, "merges": [], "end_of_word_suffix": "</w>"})",
          "end_of_word_suffix");
  refused(byte_level(), "normalizer", R"({"type": "Lowercase"})", "Lowercase");
  refused(byte_level(), "post_processor", R"({"type": "BertProcessing"})", "BertProcessing");
  refused(sentencepiece(), "normalizer", R"({"type": "NFKC"})", "NFKC");
  refused(sentencepiece(), "pre_tokenizer", R"({"type": "Whitespace"})", "Whitespace");
  refused(sentencepiece(), "model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": []})", "byte_fallback");
  const auto vocabulary = [](std::string_view config, std::int64_t size) {
    return read_gguf_vocabulary(sentencepiece(), parse(config), kNoConfig, size);
  };
  HONE_CHECK_ERROR(data, vocabulary(R"({"bos_token": "<s>"})", 8), "has id 8", "8 entries");
  HONE_CHECK_ERROR(data, vocabulary(R"({"bos_token": "<bos>"})", 10), "bos_token", "<bos>", "no token");
  HONE_CHECK_ERROR(data, vocabulary("{}", 10), "post_processor.single", "<s>");
  HONE_CHECK_ERROR(data, read_gguf_vocabulary(byte_level(), Json(), parse(R"({"eos_token_id": 99})"), 8),
                   "eos_token_id", "99");
}

TEST_CASE("stages: a model directory becomes a GGUF file with its vocabulary and template") {
  const Scratch scratch;
  const fs::path folder = scratch.path() / "tiny";
  fs::create_directory(folder);
  for (const char* name : {"config.json", "model.safetensors"}) {
    fs::copy_file(test::committed_golden_folder() / "models" / "llama" / name, folder / name);
  }
  const auto write = [&] { export_gguf(folder, scratch.path() / "tiny.gguf", GgufType::f32); };
  HONE_CHECK_ERROR(io, write(), "tokenizer.json");
  scratch.file("tiny/tokenizer.json", sentencepiece().dump());
  scratch.file("tiny/tokenizer_config.json", R"({"bos_token": "<s>", "chat_template": "old"})");
  scratch.file("tiny/chat_template.jinja", "new");
  write();
  const auto keys = test::read_gguf(scratch.path() / "tiny.gguf").keys;
  CHECK(keys.at("general.name") == GgufValue(std::string("tiny")));
  CHECK(keys.at("tokenizer.chat_template") == GgufValue(std::string("new")));
  CHECK(keys.at("tokenizer.ggml.bos_token_id") == GgufValue(std::uint32_t{1}));
  CHECK(keys.at("tokenizer.ggml.add_bos_token") == GgufValue(true));
  CHECK(std::get<std::vector<std::string>>(std::get<GgufList>(keys.at("tokenizer.ggml.tokens"))).size() ==
        std::get<std::uint32_t>(keys.at("llama.vocab_size")));
}

}  // namespace hone
