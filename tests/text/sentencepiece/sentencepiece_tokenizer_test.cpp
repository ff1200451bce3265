#include "text/sentencepiece/tokenizer.h"

#include "io/file.h"
#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "text/base64.h"
#include "text/tokenizer_json.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

std::string model_bytes(const Json& golden, std::string_view name) {
  for (const Json& small : golden.at("small").as_array()) {
    if (small.at("name").as_string() == name) return *from_base64(small.at("model").as_string());
  }
  throw std::runtime_error("no such model");
}

/// A directory with a small model and perhaps a tokenizer_config.json.
std::unique_ptr<Tokenizer> load(const test::Scratch& scratch, const std::string& model, std::string_view config = "") {
  write_file_atomic(scratch.path() / "tokenizer.model", model);
  if (!config.empty()) write_file_atomic(scratch.path() / "tokenizer_config.json", config);
  return load_tokenizer(scratch.path());
}

std::string streamed(const Tokenizer& tokenizer, const Ids& ids, SkipSpecial skip) {
  const auto stream = tokenizer.decode_stream(skip);
  std::string text;
  for (const std::int32_t id : ids) text += stream->push(id);
  return text + stream->finish();
}

}  // namespace

TEST_CASE("text: a directory with a SentencePiece model alone is read as the sentencepiece library reads it") {
  const Json golden = test::committed_golden("sentencepiece.json");
  for (const Json& small : golden.at("small").as_array()) {
    const test::Scratch scratch;
    const std::string model = model_bytes(golden, small.at("name").as_string());
    const auto tokenizer = load(scratch, model);
    for (const Json& test : small.at("cases").as_array()) {
      INFO(small.at("name").as_string(), " ", test.at("text").dump());
      const Ids ids = tokenizer->encode(test.at("text").as_string());
      CHECK(ids.size() == test.at("ids").as_array().size());
      CHECK(tokenizer->decode(ids) == test.at("decoded").as_string());
      CHECK(streamed(*tokenizer, ids, SkipSpecial::yes) == test.at("decoded").as_string());
    }
    const test::Scratch copy;
    tokenizer->save(copy.path());
    CHECK(read_file(copy.path() / "tokenizer.model") == model);
    CHECK(load_tokenizer(scratch.path() / "tokenizer.model")->vocab_size() == tokenizer->vocab_size());
  }
}

TEST_CASE("text: control pieces are parsed only where the caller asks, and spelled only where he asks") {
  const test::Scratch scratch;
  const auto tokenizer = load(scratch, model_bytes(test::committed_golden("sentencepiece.json"), "bpe_bytes"));
  CHECK(tokenizer->bos_id() == 1);
  CHECK(tokenizer->eos_id() == 2);
  CHECK(!tokenizer->pad_id());
  CHECK(tokenizer->unk_id() == 0);
  CHECK(tokenizer->is_special(1));
  CHECK(!tokenizer->is_special(3));
  CHECK(!tokenizer->is_special(100'000));
  CHECK(tokenizer->special_tokens().size() == 2);
  const Ids as_text = tokenizer->encode("<s>the</s>");
  CHECK(std::count(as_text.begin(), as_text.end(), 1) == 0);
  const Ids parsed = tokenizer->encode("<s>the</s>", AddSpecial::no, SpecialTokens::parse);
  CHECK(parsed.front() == 1);
  CHECK(parsed.back() == 2);
  CHECK(tokenizer->decode(parsed) == "the");
  CHECK(tokenizer->decode(parsed, SkipSpecial::no) == "<s>the</s>");
  CHECK(streamed(*tokenizer, parsed, SkipSpecial::no) == "<s>the</s>");
  const TextRange untrusted{3, 9};
  CHECK(tokenizer->encode_rendered("<s>x</s>y</s>", std::span(&untrusted, 1)).back() == 2);
  const Ids rendered = tokenizer->encode_rendered("<s>x</s>y</s>", std::span(&untrusted, 1));
  CHECK(std::count(rendered.begin(), rendered.end(), 2) == 1);
  CHECK(tokenizer->id_to_bytes(13) == "\x0A");
  CHECK(tokenizer->id_to_bytes(100'000).empty());
  CHECK(tokenizer->token_to_id("<0x0A>") == 13);
  CHECK(tokenizer->id_to_token(13) == "<0x0A>");
  HONE_CHECK_ERROR(data, tokenizer->decode(Ids{100'000}), "100000");
  HONE_CHECK_ERROR(data, tokenizer->decode_stream()->push(-1), "-1");
}

TEST_CASE("text: streaming never gives half a character") {
  const test::Scratch scratch;
  const auto tokenizer = load(scratch, model_bytes(test::committed_golden("sentencepiece.json"), "bpe_bytes"));
  const auto stream = tokenizer->decode_stream();
  const Ids ids = {3 + 0xF0, 3 + 0x9F, 3 + 0x99, 3 + 0x82, 3 + 0xE6, 3 + 0x97, 3 + 'x'};
  std::vector<std::string> parts;
  for (const std::int32_t id : ids) parts.push_back(stream->push(id));
  CHECK(parts == std::vector<std::string>{"", "", "", "🙂", "", "", "\uFFFD\uFFFDx"});
  CHECK(tokenizer->decode(ids) == "🙂\uFFFD\uFFFDx");
}

TEST_CASE("text: with a tokenizer_class the ids are those of transformers") {
  const Json golden = test::committed_golden("sentencepiece.json");
  for (const Json& test : golden.at("converted").as_array()) {
    INFO(test.at("name").as_string(), " ", test.at("config").dump());
    const test::Scratch scratch;
    const auto tokenizer = load(scratch, model_bytes(golden, test.at("name").as_string()), test.at("config").dump());
    for (const Json& entry : test.at("cases").as_array()) {
      INFO(entry.at("text").dump());
      Ids ids;
      for (const Json& id : entry.at("ids").as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
      CHECK(tokenizer->encode(entry.at("text").as_string(), AddSpecial::yes, SpecialTokens::parse) == ids);
      CHECK(tokenizer->decode(ids) == entry.at("decoded").as_string());
    }
  }
}

}  // namespace hone
