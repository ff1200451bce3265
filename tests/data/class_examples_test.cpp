#include "data/class_examples.h"

#include <doctest/doctest.h>

#include "data/letter_tokenizer.h"
#include "data/small_wordpiece.h"
#include "support/error_of.h"

namespace hone {

using test::LetterTokenizer;
using test::Scratch;
using test::small_wordpiece;
using Ids = std::vector<std::int32_t>;
using Tags = std::vector<std::int64_t>;

namespace {

constexpr std::int32_t cls = 2, sep = 3, a = 5, b = 6, c = 7, d = 8;

ModelInput typed(std::int64_t context) {
  ModelInput input(context);
  input.token_types = true;
  return input;
}

Dataset load(const Scratch& scratch, std::string_view rows, DataConfig config = {}) {
  config.path = scratch.file("rows.jsonl", rows).string();
  return Dataset::load("d", config);
}

}  // namespace

TEST_CASE("data: a text is encoded as the tokenizer does, and what it adds is never cut") {
  const Scratch scratch;
  const auto tokenizer = small_wordpiece(scratch);
  TextEncoder encoder(*tokenizer, typed(5), {});
  const TokenExample whole = encoder.encode("a b", std::nullopt, "here", 4);
  CHECK(whole.ids == Ids{cls, a, b, sep});
  CHECK(whole.type_ids.empty());
  CHECK(whole.target_tokens() == 0);
  CHECK(whole.row == 4);
  CHECK(encoder.encode("a b c d", std::nullopt, "here", 0).ids == Ids{cls, a, b, c, sep});
  CHECK(encoder.encode("", std::nullopt, "here", 0).ids == Ids{cls, sep});
  CHECK(encoder.report().rows == 3);
  CHECK(encoder.report().cut_rows == 1);
  CHECK(encoder.report().cut_tokens == 1);
  TextEncoder left(*tokenizer, 5, {.overlong = Overlong::truncate_left});
  CHECK(left.encode("a b c d", std::nullopt, "here", 0).ids == Ids{cls, b, c, d, sep});
}

TEST_CASE("data: of two texts the longer is cut first; the second has its own type") {
  const Scratch scratch;
  const auto tokenizer = small_wordpiece(scratch);
  TextEncoder encoder(*tokenizer, typed(8), {});
  const TokenExample pair = encoder.encode("a b", "c", "here", 0);
  CHECK(pair.ids == Ids{cls, a, b, sep, c, sep});
  CHECK(pair.type_ids == Ids{0, 0, 0, 0, 1, 1});
  CHECK(encoder.encode("a", "b c d a b", "here", 0).ids == Ids{cls, a, sep, b, c, d, a, sep});
  CHECK(encoder.encode("a b c d", "a b c d", "here", 0).ids == Ids{cls, a, b, sep, a, b, c, sep});
  CHECK(encoder.report().cut_tokens == 4);
  TextEncoder left(*tokenizer, 8, {.max_tokens = 6, .overlong = Overlong::truncate_left});
  const TokenExample end = left.encode("a b c d", "a", "here", 0);
  CHECK(end.ids == Ids{cls, c, d, sep, a, sep});
  CHECK(end.type_ids.empty());  // a model without types
}

TEST_CASE("data: rows that are too long are left out or refused with their place") {
  const Scratch scratch;
  const auto tokenizer = small_wordpiece(scratch);
  TextEncoder skipping(*tokenizer, 4, {.overlong = Overlong::skip});
  CHECK(skipping.encode("a b c", std::nullopt, "here", 0).ids.empty());
  CHECK(skipping.encode("a b", std::nullopt, "here", 0).ids.size() == 4);
  CHECK(skipping.report().skipped_rows == 1);
  CHECK(skipping.report().empty_rows == 0);
  TextEncoder strict(*tokenizer, 4, {.overlong = Overlong::error});
  HONE_CHECK_ERROR(data, strict.encode("a b c", std::nullopt, "f.jsonl:7", 0), "f.jsonl:7", "5 tokens", "at most 4");
  HONE_CHECK_ERROR(config, TextEncoder(*tokenizer, 2, {}), "max_tokens", "adds 2");
  TextEncoder narrow(*tokenizer, 3, {});
  HONE_CHECK_ERROR(data, narrow.encode("a", "b", "f.jsonl:1", 0), "f.jsonl:1");
}

TEST_CASE("data: an encoder-decoder model with a head reads a text twice") {
  const LetterTokenizer tokenizer({.start = true});
  TextEncoder encoder(tokenizer, {8, 7}, {});
  const TokenExample example = encoder.encode("ab", std::nullopt, "here", 0);
  CHECK(example.source_ids == Ids{LetterTokenizer::bos, 'a', 'b'});
  CHECK(example.ids == Ids{7, LetterTokenizer::bos, 'a'});
}

TEST_CASE("data: what rows are for follows from their columns") {
  const Scratch scratch;
  CHECK(problem_type_of(load(scratch, R"({"text": "a", "label": "x"})")) == ProblemType::single_label);
  CHECK(problem_type_of(load(scratch, R"({"text": "a", "text_pair": "b", "labels": []})")) == ProblemType::multi_label);
  CHECK(problem_type_of(load(scratch, R"({"text": "a", "value": 1})")) == ProblemType::regression);
  const Dataset rated = load(scratch, "{\"text\": \"a\", \"label\": 3}\n{\"text\": \"b\", \"label\": 3.5}\n");
  HONE_CHECK_ERROR(data, problem_type_of(rated), "rows.jsonl:2", "'3.5'", "regression");
  require_problem_type(rated, ProblemType::regression);
  HONE_CHECK_ERROR(data, require_problem_type(rated, ProblemType::multi_label), "data.d", "`labels`");
  HONE_CHECK_ERROR(data, problem_type_of(load(scratch, R"({"text": "a"})")), "rows of text ", "`label`");
}

TEST_CASE("data: targets are classes, rows of zeros and ones, or numbers") {
  const Scratch scratch;
  const LetterTokenizer tokenizer;
  const auto encode = [&](std::string_view rows, ProblemType type) {
    const Dataset data = load(scratch, rows);
    TextEncoder encoder(tokenizer, 9, {});
    ClassTargets targets{type, type == ProblemType::regression ? LabelSet() : LabelSet::of(data.labels(Split::train))};
    return encode_classified(data, Split::train, encoder, targets);
  };
  const auto single = encode("{\"text\": \"a\", \"label\": \"y\"}\n{\"text\": \"b\", \"label\": \"x\"}\n",
                             ProblemType::single_label);
  CHECK(single[0].label == 1);
  CHECK(single[1].label == 0);
  const auto several = encode("{\"text\": \"a\", \"labels\": [\"y\", \"x\"]}\n{\"text\": \"b\", \"labels\": []}\n",
                              ProblemType::multi_label);
  CHECK(several[0].values == std::vector<float>{1, 1});
  CHECK(several[1].values == std::vector<float>{0, 0});
  const auto numbers = encode("{\"text\": \"a\", \"value\": 0.5}\n{\"text\": \"b\", \"value\": \"3\"}\n",
                              ProblemType::regression);
  CHECK(numbers[1].values == std::vector<float>{3});
  HONE_CHECK_ERROR(data, encode("{\"text\": \"a\", \"label\": \"good\"}\n", ProblemType::regression), "rows.jsonl:1",
                   "'good'");
  HONE_CHECK_ERROR(data, encode("{\"text\": \"\", \"label\": 1}\n", ProblemType::single_label), "data.d", "1 empty");
}

TEST_CASE("data: classes of several labels a row, and too few of them") {
  const Scratch scratch;
  const LabelSet classes =
      classes_of(load(scratch, "{\"text\": \"a\", \"labels\": [\"y\", \"x\"]}\n{\"text\": \"b\", \"labels\": [\"x\"]}\n"));
  CHECK(classes.names() == std::vector<std::string>{"x", "y"});
  CHECK(classes.counts() == std::vector<std::int64_t>{2, 1});
  HONE_CHECK_ERROR(data, classes_of(load(scratch, R"({"text": "a", "labels": []})")), "at least one class");
  HONE_CHECK_ERROR(data, classes_of(load(scratch, R"({"text": "a", "label": "x"})")), "at least two classes", "x");
}

TEST_CASE("data: the tag of a word stands at its first token") {
  const Scratch scratch;
  const auto tokenizer = small_wordpiece(scratch);
  const Dataset data = load(scratch, "{\"tokens\": [\"ab\", \"c.\", \"dd\"], \"tags\": [\"X\", \"O\", \"Y\"]}\n");
  const LabelSet tags = LabelSet::of(data.labels(Split::train));
  CHECK(tags.names() == std::vector<std::string>{"O", "X", "Y"});
  TextEncoder encoder(*tokenizer, 16, {});
  const TokenExample row = encode_tagged(data, Split::train, *tokenizer, encoder, tags)[0];
  CHECK(row.ids == Ids{cls, a, 10, c, 1, d, 12, sep});  // ab, c and an unknown full stop, dd
  CHECK(row.tags == Tags{-1, 1, -1, 0, -1, 2, -1, -1});
  CHECK(encoder.report().target_tokens == 3);
  TextEncoder narrow(*tokenizer, 5, {});
  const TokenExample cut = encode_tagged(data, Split::train, *tokenizer, narrow, tags)[0];
  CHECK(cut.ids == Ids{cls, a, 10, c, sep});
  CHECK(cut.tags == Tags{-1, 1, -1, 0, -1});
  HONE_CHECK_ERROR(data, encode_tagged(data, Split::train, *tokenizer, encoder, LabelSet::of(std::vector<std::string>{"O", "X"})),
                   "rows.jsonl:1", "'Y'");
  TextEncoder skipping(*tokenizer, 5, {.overlong = Overlong::skip});
  HONE_CHECK_ERROR(data, encode_tagged(data, Split::train, *tokenizer, skipping, tags), "data.d", "all labels are masked");
}

}  // namespace hone
