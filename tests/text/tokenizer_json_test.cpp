#include "text/tokenizer_json.h"

#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "text/bpe_tokenizer.h"
#include "text/tiktoken_ranks.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

using test::Scratch;

/// A small tokenizer.json whose sections can be replaced.
struct File {
  std::string added = "[]";
  std::string normalizer = "null";
  std::string pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})";
  std::string post_processor = "null";
  std::string decoder = R"({"type": "ByteLevel"})";
  std::string model = R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3}, "merges": ["a b"]})";
  std::string more;

  std::unique_ptr<Tokenizer> load(std::string_view config = "") const {
    const Scratch scratch;
    scratch.file("tokenizer.json",
                 fmt::format(R"({{"version": "1.0", "truncation": null, "added_tokens": {}, "normalizer": {},
                                  "pre_tokenizer": {}, "post_processor": {}, "decoder": {}, "model": {}{}}})",
                             added, normalizer, pre_tokenizer, post_processor, decoder, model, more));
    if (!config.empty()) scratch.file("tokenizer_config.json", config);
    return load_tokenizer(scratch.path());
  }
};

constexpr std::string_view kSpecial = R"([{"id": 4, "content": "<s>", "special": true, "normalized": false}])";

}  // namespace

TEST_CASE("text: a small tokenizer.json loads; merges may be strings or pairs") {
  File file;
  CHECK(file.load()->encode("ab a") == std::vector<std::int32_t>{2, 3, 0});
  CHECK(!file.load()->eos_id());
  file.model = R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]})";
  CHECK(file.load()->encode("aab") == std::vector<std::int32_t>{0, 2});
}

TEST_CASE("text: tokenizer_config.json names the special tokens, as strings or objects") {
  const File file{.added = std::string(kSpecial)};
  CHECK(file.load(R"({"eos_token": "<s>"})")->eos_id() == 4);
  CHECK(file.load(R"({"bos_token": {"content": "<s>"}, "pad_token": null})")->bos_id() == 4);
  HONE_CHECK_ERROR(data, file.load(R"({"eos_token": "</s>"})"), "eos_token </s>");
}

TEST_CASE("text: a template adds its tokens when asked") {
  const File file{.added = std::string(kSpecial),
                  .post_processor = R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}},
                      {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [4]}}})"};
  CHECK(file.load()->encode("ab", AddSpecial::yes) == std::vector<std::int32_t>{4, 2});
  CHECK(file.load()->encode("ab") == std::vector<std::int32_t>{2});
}

TEST_CASE("text: what is not known is refused by name") {
  const auto refused = [](const File& file, std::string_view field, std::string_view value) {
    HONE_CHECK_ERROR(data, file.load(), "tokenizer.json", field, value);
  };
  refused({.normalizer = R"({"type": "Uppercase"})"}, "normalizer", "Uppercase");
  refused({.normalizer = R"({"type": "Sequence", "normalizers": [{"type": "X"}]})"}, "normalizers[0]", "\"X\"");
  refused({.pre_tokenizer = R"({"type": "Meta"})"}, "pre_tokenizer", "Meta");
  refused({.pre_tokenizer = R"({"type": "Metaspace", "replacement": "ab"})"}, "replacement", "ab");
  refused({.pre_tokenizer = R"({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "a"},
               "behavior": "Thrown", "invert": false}]})"}, "behavior", "Thrown");
  refused({.pre_tokenizer = R"({"type": "Split", "pattern": {"Glob": "a"}, "behavior": "Removed"})"}, "pattern", "Glob");
  refused({.post_processor = R"({"type": "BertProcess"})"}, "post_processor", "BertProcess");
  refused({.post_processor = R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "C"}}],
               "special_tokens": {}})"}, "id", "\"C\"");
  refused({.decoder = R"({"type": "WordPieces"})"}, "decoder", "WordPieces");
  refused({.model = R"({"type": "Bigram", "vocab": []})"}, "model", "Bigram");
  refused({.model = R"({"type": "BPE", "dropout": 0.1, "vocab": {"a": 0}, "merges": []})"}, "dropout", "0.1");
  refused({.model = R"({"type": "BPE", "unk_token": "b", "vocab": {"a": 0}, "merges": []})"}, "unk_token", "\"b\"");
  refused({.model = R"({"type": "BPE", "novelty": 1, "vocab": {"a": 0}, "merges": []})"}, "novelty", "1");
  refused({.more = R"(, "padding": {"strategy": "Always"})"}, "padding", "Always");
  refused({.more = R"(, "new_section": {}})"}, "tokenizer.json", "");
  refused({.added = R"([{"id": -4, "content": "x"}])"}, "added_tokens[0]", "-4");
}

TEST_CASE("text: broken vocabularies and merges are told") {
  const auto model = [](std::string_view vocab, std::string_view merges) {
    return File{.model = fmt::format(R"({{"type": "BPE", "vocab": {}, "merges": {}}})", vocab, merges)}.load();
  };
  HONE_CHECK_ERROR(data, model(R"({"a": 0, "b": 0})", "[]"), "id 0", "twice");
  HONE_CHECK_ERROR(data, model(R"({"a": -1})", "[]"), "-1");
  HONE_CHECK_ERROR(data, model(R"({"a": "0"})", "[]"), "integer", "string");
  HONE_CHECK_ERROR(data, model(R"({"a": 0})", R"(["a c"])"), "\"c\"", "not in the vocabulary");
  HONE_CHECK_ERROR(data, model(R"({"a": 0})", R"(["a a"])"), "merge 1", "aa");
  HONE_CHECK_ERROR(data, model(R"({"a": 0})", R"(["aa"])"), "two tokens");
  HONE_CHECK_ERROR(data, model(R"({"a": 0})", R"([["a"]])"), "pair");
}

TEST_CASE("text: files that are no tokenizers") {
  const Scratch scratch;
  HONE_CHECK_ERROR(io, load_tokenizer(scratch.path()), "tokenizer.json");
  HONE_CHECK_ERROR(io, load_tokenizer(scratch.path() / "none.json"), "none.json", "No such file");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.file("a.json", "{")), "a.json");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.file("a.json", "{}")), "a.json", "model");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.file("a.json", "[]")), "a.json", "object");
  scratch.file("vocab.json", "{\"a\": 0}");
  scratch.file("merges.txt", "#version: 0.2\na b c\n");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.path()), "tokenizer_class");
  scratch.file("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.path()), "merges.txt:2", "a b c");
  scratch.file("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer"})");
  HONE_CHECK_ERROR(data, load_tokenizer(scratch.path()), "tokenizer_class", "Llama");
  HONE_CHECK_ERROR(data, read_tiktoken_ranks(scratch.file("r", "YQ== 0\nhello\n")), "r:2", "hello");
  HONE_CHECK_ERROR(data, read_tiktoken_ranks(scratch.file("r", "YQ== 0\nYg== 0\n")), "r:2", "out of order");
}

TEST_CASE("text: a tokenizer_config.json keeps what hone does not read") {
  const File file{.added = std::string(kSpecial)};
  const Scratch scratch;
  file.load(R"({"eos_token": "<s>", "chat_template": "{{ x }}"})")->save(scratch.path());
  CHECK(test::contents_of(scratch.path() / "tokenizer_config.json").find("{{ x }}") != std::string::npos);
}

}  // namespace hone
