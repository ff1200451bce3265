#include "text/tokenizer_trainer.h"

#include "support/error_of.h"
#include "support/scratch.h"
#include "text/tokenizer_json.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

const std::string kText =
    "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox again.\n"
    "Peter Piper picked a peck of pickled peppers;\n"
    "où est le café où le garçon a mangé la crème brûlée?\n\n";

std::unique_ptr<Tokenizer> train(TokenizerTrainerOptions options) {
  TokenizerTrainer trainer(std::move(options));
  trainer.add(kText);
  return trainer.train();
}

}  // namespace

TEST_CASE("text: a trained tokenizer of each type reads back from its files with the same ids") {
  for (const auto& [kind, size] : {std::pair(TokenizerKind::bpe, 300), std::pair(TokenizerKind::wordpiece, 120),
                                   std::pair(TokenizerKind::unigram, 80)}) {
    const auto tokenizer = train({.kind = kind, .vocab_size = size});
    const test::Scratch scratch;
    tokenizer->save(scratch.path());
    const auto loaded = load_tokenizer(scratch.path());
    CHECK(loaded->vocab_size() == tokenizer->vocab_size());
    for (const char* text : {"The quick fox", "  the  dog ", "café crème", "unseen 🙂 word", ""}) {
      INFO(text);
      CHECK(loaded->encode(text, AddSpecial::yes) == tokenizer->encode(text, AddSpecial::yes));
    }
    CHECK(loaded->eos_id() == tokenizer->eos_id());
    CHECK(loaded->pad_id().has_value());
  }
}

TEST_CASE("text: each type has the rules that it mostly has") {
  const auto bpe = train({.vocab_size = 300});
  CHECK(bpe->decode(bpe->encode("Any text 🙂\n")) == "Any text 🙂\n");
  CHECK(bpe->eos_id() == 0);

  const auto wordpiece = train({.kind = TokenizerKind::wordpiece, .vocab_size = 120});
  const auto ids = wordpiece->encode("The FOX café", AddSpecial::yes);
  CHECK(ids.front() == 2);
  CHECK(ids.back() == 3);
  CHECK(wordpiece->decode(ids) == "the fox cafe");
  CHECK(wordpiece->encode("日") == std::vector<std::int32_t>{1});
  const auto cased = train({.kind = TokenizerKind::wordpiece, .vocab_size = 120, .lowercase = false});
  CHECK(cased->decode(cased->encode("The fox")) == "The fox");

  const auto unigram = train({.kind = TokenizerKind::unigram, .vocab_size = 80});
  CHECK(unigram->decode(unigram->encode("the  ﬁne  fox")) == "the fine fox");
  CHECK(unigram->unk_id() == 2);
  CHECK(unigram->eos_id() == 1);
  CHECK(unigram->bos_id() == 3);
}

TEST_CASE("text: types are known by name") {
  CHECK(tokenizer_kind("bpe") == TokenizerKind::bpe);
  CHECK(tokenizer_kind("wordpiece") == TokenizerKind::wordpiece);
  CHECK(tokenizer_kind("unigram") == TokenizerKind::unigram);
  HONE_CHECK_ERROR(usage, tokenizer_kind("wordlevel"), "wordlevel", "bpe, wordpiece or unigram");
}

TEST_CASE("text: options that do not go with the type are refused") {
  HONE_CHECK_ERROR(config, train({.kind = TokenizerKind::unigram, .vocab_size = 80, .min_frequency = 2}),
                   "min_frequency");
  HONE_CHECK_ERROR(config, train({.kind = TokenizerKind::unigram, .vocab_size = 80, .limit_alphabet = 9}),
                   "limit_alphabet");
  HONE_CHECK_ERROR(config, train({.vocab_size = 300, .limit_alphabet = 9}), "limit_alphabet");
  HONE_CHECK_ERROR(config, train({.kind = TokenizerKind::wordpiece, .vocab_size = 9}), "vocab_size 9");
  HONE_CHECK_ERROR(config, train({.vocab_size = 9}), "vocab_size 9");
  TokenizerTrainer trainer({.kind = TokenizerKind::unigram, .vocab_size = 80});
  HONE_CHECK_ERROR(data, trainer.add("a\xFFz"), "byte 2", "0xff");
  HONE_CHECK_ERROR(data, trainer.train(), "no words");
}

}  // namespace hone
