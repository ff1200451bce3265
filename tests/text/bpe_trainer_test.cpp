#include "text/bpe_trainer.h"

#include "support/committed_golden.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"
#include "text/tokenizer_json.h"

#include "base/json.h"
#include "io/file.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

std::unique_ptr<Tokenizer> train(std::vector<std::string> texts, BpeTrainerOptions options) {
  return train_bpe(texts, std::move(options));
}

std::vector<std::string> tokens_from(const Tokenizer& tokenizer, std::int32_t first) {
  std::vector<std::string> tokens;
  for (std::int32_t id = first; id < tokenizer.vocab_size(); ++id) tokens.push_back(tokenizer.id_to_token(id));
  return tokens;
}

}  // namespace

TEST_CASE("text: training takes the most frequent pair, then the lower ids or the greater bytes") {
  // The paper's example (Sennrich et al. 2016, figure 1) in one text without spaces between letters and end marks.
  std::string text;
  for (int i = 0; i < 5; ++i) text += "low.";
  for (int i = 0; i < 2; ++i) text += "lower.";
  for (int i = 0; i < 6; ++i) text += "newest.";
  for (int i = 0; i < 3; ++i) text += "widest.";
  // Counts: "es" 9, "st" 9; then "est" 9.
  BpeTrainerOptions options{.vocab_size = 258, .split = R"(\p{L}+|\.)"};
  CHECK(tokens_from(*train({text}, options), 256) == std::vector<std::string>{"es", "est"});
  options.ties = MergeTies::greater_bytes;
  CHECK(tokens_from(*train({text}, options), 256) == std::vector<std::string>{"st", "est"});
}

TEST_CASE("text: pairs below the least frequency do not merge") {
  const BpeTrainerOptions options{.vocab_size = 257, .min_frequency = 3};
  CHECK(tokens_from(*train({"ababab"}, options), 256) == std::vector<std::string>{"ab"});
  HONE_CHECK_ERROR(data, train({"abab"}, options), "yield 256 tokens");
  HONE_CHECK_ERROR(config, train({}, {.vocab_size = 257, .min_frequency = 0}), "min_frequency");
}

TEST_CASE("text: overlapping pairs are counted and merged from the left") {
  const auto tokenizer = train({"aaaaa"}, {.vocab_size = 258});
  CHECK(tokens_from(*tokenizer, 256) == std::vector<std::string>{"aa", "aaa"});
  CHECK(tokenizer->encode("aaaaaaa").size() == 3);
  const auto greater = train({"aaaaa"}, {.vocab_size = 258, .ties = MergeTies::greater_bytes});
  CHECK(tokens_from(*greater, 256) == std::vector<std::string>{"aa", "aaaa"});
}

TEST_CASE("text: the order of the texts does not matter") {
  const std::vector<std::string> texts = {"the cat sat", "on the mat", "that the cat ate", "üben übt über"};
  const std::vector<std::string> reversed(texts.rbegin(), texts.rend());
  const BpeTrainerOptions options{.vocab_size = 275};
  CHECK(tokens_from(*train_bpe(texts, options), 0) == tokens_from(*train_bpe(reversed, options), 0));
}

TEST_CASE("text: special tokens come first and are cut out of the text") {
  const auto tokenizer =
      train({"ab<|end|>ab<|end|>"},
            {.vocab_size = 259, .special_tokens = {"<|end|>", "<|pad|>"}, .eos = "<|end|>", .pad = "<|pad|>"});
  CHECK(tokenizer->eos_id() == 0);
  CHECK(tokenizer->pad_id() == 1);
  CHECK(!tokenizer->bos_id());
  CHECK(tokens_from(*tokenizer, 258) == std::vector<std::string>{"ab"});
}

TEST_CASE("text: training that cannot reach the vocabulary says how far it came") {
  HONE_CHECK_ERROR(data, train({"abab"}, {.vocab_size = 300}), "yield 258 tokens", "300");
  HONE_CHECK_ERROR(data, train({}, {.vocab_size = 300}), "yield 256 tokens");
  HONE_CHECK_ERROR(config, train({"ab"}, {.vocab_size = 256, .special_tokens = {"<s>"}}), "256", "257");
  HONE_CHECK_ERROR(data, train({"a\xFF"}, {.vocab_size = 256}), "byte 2", "0xff");
  HONE_CHECK_ERROR(data, train({"ab"}, {.vocab_size = 256, .eos = "<s>"}), "eos_token <s>");
}

TEST_CASE("text: the merges are those of the tokenizers library") {
  const Json golden = test::committed_golden("tokenizer_training.json");
  std::vector<std::string> texts;
  for (const Json& text : golden.at("texts").as_array()) texts.push_back(text.as_string());
  for (const Json& test : golden.at("bpe").as_array()) {
    const auto vocab_size = static_cast<std::int32_t>(test.at("vocab_size").as_integer());
    const auto tokenizer = train(texts, {.vocab_size = vocab_size, .special_tokens = {"<|eos|>"}, .eos = "<|eos|>"});
    std::vector<std::string> expected;
    for (const Json& merge : test.at("merges").as_array()) {
      expected.push_back(merge.as_array()[0].as_string() + merge.as_array()[1].as_string());
    }
    CHECK(tokens_from(*tokenizer, 257) == expected);
  }
}

TEST_CASE("text: the published merges and vocabulary come out of the published corpus") {
  HONE_NEEDS_TEST_DATA(data);
  const auto folder = data / "tokenizers" / "bpe_training";
  const auto tokenizer = train({read_file(folder / "corpus.en")}, {.vocab_size = 500,
                                                                   .special_tokens = {"<|endoftext|>"},
                                                                   .eos = "<|endoftext|>",
                                                                   .ties = MergeTies::greater_bytes});
  const Json vocab = Json::parse(read_file(folder / "train-bpe-reference-vocab.json"), "vocabulary");
  REQUIRE(vocab.as_object().size() == 500);
  for (const auto& [token, id] : vocab.as_object()) CHECK(tokenizer->token_to_id(token) == id.as_integer());
  const test::Scratch scratch;
  tokenizer->save(scratch.path());
  const Json saved = Json::parse(read_file(scratch.path() / "tokenizer.json"), "saved");
  std::string merges;
  for (const Json& merge : saved.at("model").at("merges").as_array()) {
    merges += merge.as_array()[0].as_string() + " " + merge.as_array()[1].as_string() + "\n";
  }
  CHECK(merges == read_file(folder / "train-bpe-reference-merges.txt"));
}

}  // namespace hone
