#include "text/bpe.h"

#include "base/random.h"
#include "support/error_of.h"
#include "text/bpe_tokenizer.h"
#include "text/bpe_trainer.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

using Ids = std::vector<std::int32_t>;

/// Bytes a, b, c as ids 0, 1, 2 and the tokens ab (3), bc (4), abc (5), aa (6).
BpeSpec small_spec(std::vector<std::pair<std::int32_t, std::int32_t>> merges) {
  BpeSpec spec;
  spec.tokens = {"a", "b", "c", "ab", "bc", "abc", "aa"};
  spec.merges = std::move(merges);
  return spec;
}

Ids encode(const BpeModel& model, std::string_view piece) {
  Ids ids;
  model.encode(piece, ids);
  return ids;
}

}  // namespace

TEST_CASE("text: the lowest rank merges first, of equals the leftmost") {
  const BpeSpec spec = small_spec({{1, 2}, {0, 1}, {0, 0}});
  const BpeModel model(spec, "test");
  CHECK(encode(model, "abc") == Ids{0, 4});
  CHECK(encode(model, "abab") == Ids{3, 3});
  CHECK(encode(model, "aaa") == Ids{6, 0});
  CHECK(encode(model, "c") == Ids{2});
}

TEST_CASE("text: a token that merging does not reach stays unreached, unless merges are ignored") {
  BpeSpec spec = small_spec({{1, 2}, {0, 1}});
  CHECK(encode(BpeModel(spec, "test"), "abc") == Ids{0, 4});
  spec.ignore_merges = true;
  CHECK(encode(BpeModel(spec, "test"), "abc") == Ids{5});
  CHECK(encode(BpeModel(spec, "test"), "abca") == Ids{0, 4, 0});
}

TEST_CASE("text: bytes and merges outside the vocabulary are told") {
  const BpeSpec spec = small_spec({{1, 2}});
  HONE_CHECK_ERROR(data, encode(BpeModel(spec, "test"), "abx"), "byte 0x78");
  const BpeSpec bad = small_spec({{1, 2}, {2, 2}});
  HONE_CHECK_ERROR(data, BpeModel(bad, "a file"), "a file", "merge 2", "cc");
}

TEST_CASE("text: long pieces merge as short ones do") {
  // The same bytes as one long piece and, with a border that no merge crosses, as many short ones.
  Random random(stream_key(3, "bpe"));
  std::string text;
  for (int i = 0; i < 400; ++i) text += "abcab"[random.below(5)];
  const auto tokenizer = train_bpe(std::vector{text}, {.vocab_size = 290});
  for (int round = 0; round < 200; ++round) {
    Ids expected;
    std::string piece;
    while (piece.size() < 200) {
      std::string word;
      for (std::uint64_t i = 0, n = 1 + random.below(40); i < n; ++i) word += "abc"[random.below(3)];
      for (const std::int32_t id : tokenizer->encode(word)) expected.push_back(id);
      expected.push_back(tokenizer->encode("Z")[0]);
      piece += word + "Z";
    }
    CHECK(tokenizer->encode(piece) == expected);
  }
}

}  // namespace hone
