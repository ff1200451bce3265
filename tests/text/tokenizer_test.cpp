#include "text/tokenizer.h"

#include "base/random.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "text/bpe_tokenizer.h"
#include "text/bpe_trainer.h"
#include "text/byte_tokenizer.h"
#include "text/tokenizer_json.h"

#include <doctest/doctest.h>

#include <atomic>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

std::string random_bytes(Random& random) {
  const std::string_view parts[] = {"a", " ", "the", "é", "\n", "\xFF", "\xE2\x82", "🙂", "<|eos|>", "\x80", "12"};
  std::string text;
  for (std::uint64_t i = 0, n = random.below(20); i < n; ++i) text += parts[random.below(std::size(parts))];
  for (std::uint64_t i = 0, n = random.below(5); i < n; ++i) text += static_cast<char>(random.below(256));
  return text;
}

std::unique_ptr<Tokenizer> trained() {
  return train_bpe(std::vector<std::string>{"the cat and the dog, the end of the café in 1912"},
                   {.vocab_size = 275, .special_tokens = {"<|eos|>", "<|pad|>"}, .eos = "<|eos|>", .pad = "<|pad|>"});
}

}  // namespace

TEST_CASE("text: the byte tokenizer maps bytes to themselves") {
  const auto tokenizer = byte_tokenizer();
  CHECK(tokenizer->encode(std::string("a\0\xFF", 3)) == Ids{97, 0, 255});
  CHECK(tokenizer->vocab_size() == 259);
  CHECK(tokenizer->eos_id() == 256);
  CHECK(tokenizer->bos_id() == 257);
  CHECK(tokenizer->pad_id() == 258);
  CHECK(tokenizer->decode(Ids{104, 105, 256, 258}) == "hi");
  CHECK(tokenizer->decode(Ids{104, 256}, SkipSpecial::no) == "h<|eos|>");
  CHECK(tokenizer->encode("").empty());
}

TEST_CASE("text: special tokens in text stay text unless parsing is asked for") {
  for (const auto& tokenizer : {byte_tokenizer(), trained()}) {
    const Ids as_text = tokenizer->encode("x<|eos|>y");
    for (const std::int32_t id : as_text) CHECK(!tokenizer->is_special(id));
    CHECK(tokenizer->decode(as_text) == "x<|eos|>y");
    const Ids parsed = tokenizer->encode("x<|eos|>y", AddSpecial::no, SpecialTokens::parse);
    REQUIRE(parsed.size() == 3);
    CHECK(parsed[1] == tokenizer->eos_id());
    CHECK(tokenizer->decode(parsed) == "xy");
  }
}

TEST_CASE("text: any bytes come back from their ids") {
  Random random(stream_key(5, "round trip"));
  for (const auto& tokenizer : {byte_tokenizer(), trained()}) {
    for (int round = 0; round < 500; ++round) {
      const std::string text = random_bytes(random);
      const Ids ids = tokenizer->encode(text);
      CHECK(tokenizer->decode_bytes(ids, SkipSpecial::no) == text);
      CHECK(tokenizer->decode(ids) == valid_utf8(text));
    }
  }
}

TEST_CASE("text: saved and loaded, a tokenizer is the same") {
  const test::Scratch scratch;
  Random random(stream_key(6, "save"));
  for (const auto& tokenizer : {byte_tokenizer(), trained()}) {
    tokenizer->save(scratch.path());
    const auto loaded = load_tokenizer(scratch.path());
    CHECK(loaded->vocab_size() == tokenizer->vocab_size());
    CHECK(loaded->eos_id() == tokenizer->eos_id());
    CHECK(loaded->bos_id() == tokenizer->bos_id());
    CHECK(loaded->pad_id() == tokenizer->pad_id());
    CHECK(loaded->special_tokens().size() == tokenizer->special_tokens().size());
    for (std::int32_t id = 0; id < tokenizer->vocab_size(); ++id) {
      CHECK(loaded->id_to_token(id) == tokenizer->id_to_token(id));
      CHECK(loaded->token_to_id(tokenizer->id_to_token(id)) == id);
    }
    for (int round = 0; round < 100; ++round) {
      const std::string text = random_bytes(random);
      CHECK(loaded->encode(text) == tokenizer->encode(text));
    }
  }
}

TEST_CASE("text: ids outside the vocabulary are told, unknown tokens have no id") {
  const auto tokenizer = byte_tokenizer();
  HONE_CHECK_ERROR(data, tokenizer->decode(Ids{1, 259}), "259", "vocabulary of 259");
  HONE_CHECK_ERROR(data, tokenizer->decode(Ids{-1}), "-1");
  CHECK(!tokenizer->token_to_id("the"));
  CHECK(!tokenizer->token_to_id("\xFF"));
  CHECK(tokenizer->token_to_id("Ġ") == 32);
}

TEST_CASE("text: ids behind the vocabulary, which a padded model can draw, have no bytes") {
  for (const auto& tokenizer : {byte_tokenizer(), trained()}) {
    for (const std::int32_t id : {tokenizer->vocab_size(), tokenizer->vocab_size() + 1000}) {
      CHECK(tokenizer->id_to_bytes(id).empty());
      CHECK(!tokenizer->is_special(id));
    }
  }
}

TEST_CASE("text: descriptions that contradict themselves are refused") {
  BpeSpec spec;
  spec.tokens = {"a", "b"};
  spec.added = {{.id = 1, .text = "<s>"}};
  HONE_CHECK_ERROR(data, make_bpe_tokenizer(spec, "a file"), "a file", "id 1", "<s>");
  spec.added = {{.id = 2, .text = "<s>"}, {.id = 3, .text = "<s>"}};
  HONE_CHECK_ERROR(data, make_bpe_tokenizer(spec, "a file"), "<s>", "twice");
  spec.added = {};
  spec.prefix = {7};
  HONE_CHECK_ERROR(data, make_bpe_tokenizer(spec, "a file"), "id 7");
}

TEST_CASE("text: threads may encode at once") {
  const auto tokenizer = trained();
  const std::string text = "the cat and the dog, the end of the café in 1912, and then some more of the cat";
  const Ids expected = trained()->encode(text);
  const int threads_before = threads();
  set_threads(4);
  std::atomic<int> wrong = 0;
  parallel_for(800, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) wrong += tokenizer->encode(text) != expected;
  });
  set_threads(threads_before);
  CHECK(wrong == 0);
}

}  // namespace hone
