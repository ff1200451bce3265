#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/masking.h"
#include "data/small_wordpiece.h"
#include "support/error_of.h"
#include "support/test_data.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int32_t unk = 1, cls = 2, sep = 3, mask_token = 4, first_word = 5;

/// The tokenizer of small_wordpiece without some of its tokens, or with others behind them.
std::unique_ptr<Tokenizer> wordpiece(const Scratch& scratch, const std::string& folder, const std::string& tokens) {
  std::filesystem::create_directory(scratch.path() / folder);
  scratch.file(folder + "/vocab.txt", tokens);
  return load_tokenizer(scratch.path() / folder);
}

/// Ids 0 eos, 1 to 20 letters, 21 to 23 sentinels.
class SpanTokenizer : public Tokenizer {
 public:
  static constexpr std::int32_t eos = 0, first_sentinel = 21;
  explicit SpanTokenizer(std::int32_t sentinels = 3) : sentinels_(sentinels) {}
  std::vector<std::int32_t> encode(std::string_view, AddSpecial, SpecialTokens) const override { return {}; }
  std::string_view id_to_bytes(std::int32_t) const override { return "x"; }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override {
    for (std::int32_t i = 0; i < sentinels_; ++i) {
      if (token == "<extra_id_" + std::to_string(i) + ">") return first_sentinel + i;
    }
    return std::nullopt;
  }
  std::string id_to_token(std::int32_t) const override { return {}; }
  std::int32_t vocab_size() const override { return first_sentinel + sentinels_; }
  std::optional<std::int32_t> bos_id() const override { return std::nullopt; }
  std::optional<std::int32_t> eos_id() const override { return eos; }
  std::optional<std::int32_t> pad_id() const override { return std::nullopt; }
  bool is_special(std::int32_t id) const override { return id == eos || id >= first_sentinel; }
  std::vector<SpecialToken> special_tokens() const override { return {}; }
  void save(const std::filesystem::path&) const override {}

 private:
  std::int32_t sentinels_;
};

TokenExample text_of(std::int64_t letters) {
  TokenExample text{.ids = {cls}};
  for (std::int64_t i = 0; i < letters; ++i) text.ids.push_back(first_word + static_cast<std::int32_t>(i % 4));
  text.ids.push_back(sep);
  return text;
}

std::int64_t hidden_of(const TokenExample& text) {
  return std::ranges::count_if(text.tags, [](std::int64_t tag) { return tag >= 0; });
}

TokenExample letters(std::int64_t count, bool with_eos) {
  TokenExample text{.row = 7};
  for (std::int64_t i = 0; i < count; ++i) text.ids.push_back(1 + static_cast<std::int32_t>(i % 20));
  if (with_eos) text.ids.push_back(SpanTokenizer::eos);
  return text;
}

/// The source with the spans of the target back in the place of their sentinels.
std::vector<std::int32_t> filled_in(const TokenExample& corrupted) {
  std::map<std::int32_t, std::vector<std::int32_t>> spans;
  std::int32_t sentinel = -1;
  for (std::size_t i = 1; i + 1 < corrupted.ids.size(); ++i) {
    if (corrupted.ids[i] >= SpanTokenizer::first_sentinel) {
      sentinel = corrupted.ids[i];
      CHECK(spans.emplace(sentinel, std::vector<std::int32_t>{}).second);
    } else {
      spans.at(sentinel).push_back(corrupted.ids[i]);
    }
  }
  std::vector<std::int32_t> ids;
  for (const std::int32_t id : corrupted.source_ids) {
    if (id < SpanTokenizer::first_sentinel) {
      ids.push_back(id);
    } else {
      ids.insert(ids.end(), spans.at(id).begin(), spans.at(id).end());
      spans.erase(id);
    }
  }
  CHECK(spans.empty());
  return ids;
}

std::int64_t spans_of(const TokenExample& corrupted) {
  return std::ranges::count_if(corrupted.source_ids, [](auto id) { return id >= SpanTokenizer::first_sentinel; });
}

}  // namespace

TEST_CASE("data: a share of a text's tokens is hidden, at least one, and never a special one") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const Masking masking(*tokenizer, {});
  const std::map<std::int64_t, std::int64_t> expected{{1, 1}, {3, 1}, {10, 2}, {20, 3}, {100, 15}};
  for (const auto& [tokens, hidden] : expected) {
    const TokenExample text = text_of(tokens);
    for (std::uint64_t draw = 0; draw < 20; ++draw) {
      const TokenExample masked = masking.mask(text, Random(draw));
      CHECK(hidden_of(masked) == hidden);
      CHECK(masked.target_tokens() == hidden);
      CHECK(masked.ids.front() == cls);
      CHECK(masked.ids.back() == sep);
      for (std::size_t i = 0; i < text.ids.size(); ++i) {
        if (masked.tags[i] < 0) CHECK(masked.ids[i] == text.ids[i]);
        if (masked.tags[i] >= 0) CHECK(masked.tags[i] == text.ids[i]);
        CHECK((masked.ids[i] == mask_token || !tokenizer->is_special(masked.ids[i]) || masked.tags[i] < 0));
      }
    }
  }
}

TEST_CASE("data: of the hidden tokens eight tenths are masked, a tenth is random, a tenth stays") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const Masking masking(*tokenizer, {});
  const TokenExample text = text_of(100);
  double masked = 0, same = 0, other = 0;
  std::vector<double> place(text.ids.size(), 0);
  constexpr std::uint64_t draws = 2000;
  for (std::uint64_t draw = 0; draw < draws; ++draw) {
    const TokenExample holed = masking.mask(text, Random(1, draw));
    for (std::size_t i = 0; i < text.ids.size(); ++i) {
      if (holed.tags[i] < 0) continue;
      ++place[i];
      ++(holed.ids[i] == mask_token ? masked : holed.ids[i] == text.ids[i] ? same : other);
    }
  }
  const double all = masked + same + other;
  CHECK(all == 15.0 * draws);
  CHECK(masked / all == doctest::Approx(0.8).epsilon(0.01));
  CHECK(other / all == doctest::Approx(0.1 * 7 / 8).epsilon(0.06));  // one of the eight tokens is the same by chance
  CHECK(same / all == doctest::Approx(0.1 + 0.1 / 8).epsilon(0.06));
  CHECK(*std::min_element(place.begin() + 1, place.end() - 1) > 0.75 * 0.15 * draws);  // every place alike
  CHECK(*std::max_element(place.begin() + 1, place.end() - 1) < 1.25 * 0.15 * draws);
}

TEST_CASE("data: shares of masked and random tokens are kept at their ends") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const TokenExample text = text_of(8);
  const TokenExample all = Masking(*tokenizer, {.share = 1, .masked = 1, .random = 0}).mask(text, Random(2));
  CHECK(all.ids == std::vector<std::int32_t>{cls, 4, 4, 4, 4, 4, 4, 4, 4, sep});
  CHECK(Masking(*tokenizer, {.share = 1, .masked = 0, .random = 0}).mask(text, Random(2)).ids == text.ids);
  std::set<std::int32_t> drawn;
  for (std::uint64_t draw = 0; draw < 50; ++draw) {
    const TokenExample masked = Masking(*tokenizer, {.share = 1, .masked = 0, .random = 1}).mask(text, Random(draw));
    drawn.insert(masked.ids.begin() + 1, masked.ids.end() - 1);
  }
  CHECK(drawn == std::set<std::int32_t>{5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("data: holes depend on the random stream alone") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const Masking masking(*tokenizer, {});
  const TokenExample text = text_of(60);
  const TokenExample first = masking.mask(text, Random(5, 3));
  CHECK(masking.mask(text, Random(5, 3)).ids == first.ids);
  CHECK(masking.mask(text, Random(5, 3)).tags == first.tags);
  CHECK(masking.mask(text, Random(5, 4)).tags != first.tags);
  CHECK(masking.mask(text, Random(6, 3)).tags != first.tags);
}

TEST_CASE("data: whole words are hidden with all their tokens") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const Masking masking(*tokenizer, {.share = 0.3, .masked = 1, .random = 0, .whole_words = true});
  // [CLS] a##b c ##c behind [UNK], d##d##a b [SEP]: words of 2, 1, 1 (nothing goes on behind a special token), 3, 1
  const TokenExample text{.ids = {cls, 5, 10, 7, unk, 11, 8, 12, 9, 6, sep}};
  const std::vector<std::vector<std::size_t>> words{{1, 2}, {3}, {5}, {6, 7, 8}, {9}};
  std::vector<std::int64_t> times(words.size(), 0);
  for (std::uint64_t draw = 0; draw < 300; ++draw) {
    const TokenExample masked = masking.mask(text, Random(draw));
    CHECK(hidden_of(masked) == 2);  // round(0.3 · 8)
    for (std::size_t word = 0; word < words.size(); ++word) {
      std::size_t hidden = 0;
      for (const std::size_t place : words[word]) hidden += masked.tags[place] >= 0 ? 1 : 0;
      CHECK((hidden == 0 || hidden == words[word].size()));
      times[word] += hidden > 0 ? 1 : 0;
    }
    CHECK(masked.tags[4] == -1);
  }
  CHECK(times[3] == 0);  // three tokens never fit
  for (const std::size_t word : {0, 1, 2, 4}) CHECK(times[word] > 60);
}

TEST_CASE("data: a text of one long word has it hidden although it is more than the share") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const TokenExample text{.ids = {cls, 5, 10, 11, 12, sep}};
  CHECK(hidden_of(Masking(*tokenizer, {.whole_words = true}).mask(text, Random(1))) == 4);
  CHECK(hidden_of(Masking(*tokenizer, {}).mask(text, Random(1))) == 1);
}

TEST_CASE("data: texts and tokenizers without anything to hide") {
  const Scratch scratch;
  const std::unique_ptr<Tokenizer> tokenizer = small_wordpiece(scratch);
  const TokenExample bare{.ids = {cls, unk, sep}};
  CHECK_FALSE(can_be_masked(bare, *tokenizer));
  CHECK_FALSE(can_be_masked({}, *tokenizer));
  CHECK(can_be_masked(text_of(1), *tokenizer));
  const TokenExample untouched = Masking(*tokenizer, {}).mask(bare, Random(1));
  CHECK(untouched.ids == bare.ids);
  CHECK(hidden_of(untouched) == 0);
  const SpanTokenizer spans;
  HONE_CHECK_ERROR(config, Masking(spans, {}), "mask_token");
  HONE_CHECK_ERROR(config, SpanCorruption(SpanTokenizer(0), {}, 0), "<extra_id_0>");
  const auto specials = wordpiece(scratch, "specials", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
  HONE_CHECK_ERROR(config, Masking(*specials, {}), "all 5 tokens", "special");
}

TEST_CASE("data: source and target of a corrupted text together are the text") {
  const SpanTokenizer tokenizer;
  for (const bool with_eos : {true, false}) {
    for (std::int64_t count = 1; count <= 60; ++count) {
      for (const double share : {0.15, 0.5, 1.0}) {
        const TokenExample text = letters(count, with_eos);
        const SpanCorruption corruption(tokenizer, {.share = share}, 9);
        const TokenExample corrupted = corruption.corrupt(text, Random(3, static_cast<std::uint64_t>(count)));
        std::vector<std::int32_t> whole = text.ids;
        if (!with_eos) whole.push_back(SpanTokenizer::eos);
        CHECK(filled_in(corrupted) == whole);
        CHECK(corrupted.ids.front() == 9);
        CHECK(corrupted.ids.back() == SpanTokenizer::eos);
        CHECK(corrupted.context_tokens == 1);
        CHECK(corrupted.row == 7);
        CHECK(corrupted.target_tokens() == static_cast<std::int64_t>(corrupted.ids.size()) - 1);
      }
    }
  }
}

TEST_CASE("data: spans have the wanted mean length, in order, and are drawn evenly") {
  const SpanTokenizer tokenizer;
  const SpanCorruption corruption(tokenizer, {}, 0);
  std::set<std::vector<std::int32_t>> different;
  for (std::uint64_t draw = 0; draw < 500; ++draw) {
    const TokenExample corrupted = corruption.corrupt(letters(40, true), Random(draw));  // 6 hidden, in 2 spans
    CHECK(spans_of(corrupted) == 2);
    CHECK(corrupted.ids.size() == 1 + 6 + 2 + 1);
    CHECK(corrupted.source_ids.size() == 34 + 2 + 1);
    CHECK(corrupted.ids[1] == 21);
    different.insert(corrupted.source_ids);
  }
  CHECK(different.size() > 100);  // of 33 · 5
  CHECK(corruption.corrupt(letters(40, true), Random(4)).ids == corruption.corrupt(letters(40, true), Random(4)).ids);
  CHECK(spans_of(corruption.corrupt(letters(200, true), Random(4))) == 3);  // 10 wanted, and three sentinels
  CHECK(spans_of(SpanCorruption(tokenizer, {.mean_span = 6}, 0).corrupt(letters(40, true), Random(4))) == 1);
}

TEST_CASE("data: published vocabularies say where words begin and what stands for spans") {
  HONE_NEEDS_TEST_DATA(data);
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path() / "bert");
  std::filesystem::copy_file(data / "tokenizers" / "bert" / "bert-base-uncased-vocab.txt",
                             scratch.path() / "bert" / "vocab.txt");
  const auto bert = load_tokenizer(scratch.path() / "bert");
  const TokenExample text{.ids = bert->encode("Unbelievably, embeddings matter.", AddSpecial::yes)};
  const auto goes_on = [&](std::size_t place) { return bert->id_to_token(text.ids[place]).starts_with("##"); };
  std::set<std::string> alone;  // hidden tokens whose neighbours are not
  for (std::uint64_t draw = 0; draw < 300; ++draw) {
    const TokenExample masked = Masking(*bert, {.share = 0.5, .whole_words = true}).mask(text, Random(draw));
    const auto hidden = [&](std::size_t place) { return masked.tags[place] >= 0; };
    for (std::size_t i = 1; i + 1 < text.ids.size(); ++i) {
      if (goes_on(i)) CHECK(hidden(i) == hidden(i - 1));
      if (hidden(i) && !hidden(i - 1) && !hidden(i + 1)) alone.insert(bert->id_to_token(text.ids[i]));
    }
  }
  CHECK(alone == std::set<std::string>{",", "matter", "."});

  std::filesystem::create_directory(scratch.path() / "t5");
  std::filesystem::copy_file(data / "tokenizers" / "t5" / "spiece.model", scratch.path() / "t5" / "spiece.model");
  scratch.file("t5/tokenizer_config.json", R"({"tokenizer_class":"T5Tokenizer"})");
  for (const std::filesystem::path& place :
       {scratch.path() / "t5", data / "tokenizers" / "hf_json" / "t5-small-tokenizer.json"}) {
    const auto t5 = load_tokenizer(place);
    const TokenExample source{.ids = t5->encode("The quick brown fox jumps over the lazy dog again and again.",
                                                AddSpecial::yes)};
    const TokenExample corrupted = SpanCorruption(*t5, {.share = 0.5}, 0).corrupt(source, Random(1));
    CHECK(t5->id_to_token(corrupted.ids.at(1)) == "<extra_id_0>");
    CHECK(t5->id_to_token(corrupted.ids.back()) == "</s>");
    CHECK(t5->id_to_token(corrupted.source_ids.back()) == "</s>");
    CHECK(std::ranges::count(corrupted.ids, corrupted.ids.back()) == 1);
  }
}
