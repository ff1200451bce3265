#include "data/examples.h"

#include <doctest/doctest.h>

#include "data/letter_tokenizer.h"
#include "support/error_of.h"
#include "support/scratch.h"

namespace hone {

using test::LetterTokenizer;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr std::int32_t eos = LetterTokenizer::eos;
constexpr std::int32_t bos = LetterTokenizer::bos;

Dataset dataset(const test::Scratch& scratch, std::string_view jsonl) {
  return Dataset::load("d", {.path = scratch.file("d.jsonl", jsonl).string()});
}

}  // namespace

TEST_CASE("data: a document is its text between what the tokenizer adds and the eos") {
  CHECK(encode_document(LetterTokenizer(), "ab", 8) == Ids{'a', 'b', eos});
  CHECK(encode_document(LetterTokenizer({.start = true}), "ab", 8) == Ids{bos, 'a', 'b', eos});
  CHECK(encode_document(LetterTokenizer({.end = false}), "ab", 8) == Ids{'a', 'b'});
  CHECK(encode_document(LetterTokenizer(), "abcdef", 4) == Ids{'a', 'b', 'c', eos});
  CHECK(encode_document(LetterTokenizer({.end = false}), "abcdef", 4) == Ids{'a', 'b', 'c', 'd'});
  CHECK(encode_document(LetterTokenizer(), "", 4).empty());
}

TEST_CASE("data: texts are sequences of their own, longer ones divided, empty ones left out") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 4);
  encoder.add_text("ab");
  encoder.add_text("");
  encoder.add_text("abcde");
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 3);
  CHECK(examples[0].ids == Ids{'a', 'b', eos});
  CHECK(examples[1].ids == Ids{'a', 'b', 'c', 'd'});
  CHECK(examples[2].ids == Ids{'d', 'e', eos});
  CHECK(examples[2].row == 2);
  const EncodeReport& report = encoder.report();
  CHECK(report.rows == 3);
  CHECK(report.empty_rows == 1);
  CHECK(report.divided_rows == 1);
  CHECK(report.target_tokens == 2 + 5);
  CHECK(report.text() == "3 rows, 10 tokens (7 learned); 1 longer than the context, divided; 1 empty, left out");
}

TEST_CASE("data: a stream joins texts and cuts them at the context") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 4, {.packing = TextPacking::stream});
  for (const char* text : {"ab", "c", "", "defg"}) encoder.add_text(text);
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 3);
  CHECK(examples[0].ids == Ids{'a', 'b', eos, 'c'});
  CHECK(examples[1].ids == Ids{'c', eos, 'd', 'e'});
  CHECK(examples[2].ids == Ids{'e', 'f', 'g', eos});
  CHECK(examples[2].row == 2);
  CHECK(encoder.report().target_tokens == 9);
  CHECK(encoder.report().empty_rows == 1);
  CHECK(encoder.take().empty());
}

TEST_CASE("data: an encoder-decoder model reads prompts as sources and learns all of its targets") {
  const LetterTokenizer tokenizer({.start = true});
  ExampleEncoder encoder(tokenizer, {6, 7});
  encoder.add_completion("2+2=", "4", "x");
  encoder.add_completion("ab", "cdefgh", "x");
  encoder.add_completion("a", "", "x");
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].source_ids == Ids{bos, '2', '+', '2', '='});
  CHECK(examples[0].ids == Ids{7, '4', eos});
  CHECK(examples[0].target_tokens() == 2);
  CHECK(examples[1].ids == Ids{7, 'c', 'd', 'e', 'f', 'g'});
  CHECK(encoder.report().tokens == 8 + 9);
  CHECK(encoder.report().target_tokens == 2 + 5);
  CHECK(encoder.report().cut_rows == 1);
  CHECK(encoder.report().cut_tokens == 2);
  CHECK(encoder.report().empty_rows == 1);
  HONE_CHECK_ERROR(data, encoder.add_completion("123456", "x", "rows.jsonl:3"), "rows.jsonl:3", "source has 7 tokens", "6");
}

TEST_CASE("data: an empty source is its eos, and an error where there is none") {
  CHECK(encode_source(LetterTokenizer(), "") == Ids{eos});
  CHECK(encode_source(LetterTokenizer({.start = true}), "") == Ids{bos});
  const LetterTokenizer endless({.end = false});
  CHECK(encode_source(endless, "").empty());
  ExampleEncoder encoder(endless, {6, 7});
  HONE_CHECK_ERROR(data, encoder.add_completion("", "x", "rows.jsonl:3"), "rows.jsonl:3", "the prompt is empty");
}

TEST_CASE("data: an encoder-decoder model reads a labelled text twice, its decoder one token behind") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, {4, 7});
  encoder.add_labelled("ab", 1);
  encoder.add_labelled("abcdef", 0);
  encoder.add_labelled("", 0);
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].source_ids == Ids{'a', 'b', eos});
  CHECK(examples[0].ids == Ids{7, 'a', 'b'});
  CHECK(examples[0].target_tokens() == 0);
  CHECK(examples[0].label == 1);
  CHECK(examples[1].source_ids == Ids{'a', 'b', 'c', eos});
  CHECK(examples[1].ids == Ids{7, 'a', 'b', 'c'});
  CHECK(encoder.report().cut_tokens == 3);
  CHECK(encoder.report().empty_rows == 1);
}

TEST_CASE("data: completions are learned with their eos, prompts are not") {
  const LetterTokenizer tokenizer({.start = true});
  ExampleEncoder encoder(tokenizer, 8);
  encoder.add_completion("2+2=", "4", "x");
  encoder.add_completion("", "hi", "x");
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].ids == Ids{bos, '2', '+', '2', '=', '4', eos});
  CHECK(examples[0].context_tokens == 5);
  CHECK(examples[0].target_tokens() == 2);
  CHECK(examples[1].ids == Ids{bos, 'h', 'i', eos});
  CHECK(examples[1].target_tokens() == 3);
}

TEST_CASE("data: an empty prompt starts from the bos, when the tokenizer has one") {
  const LetterTokenizer knows({.start_known = true}), lacks;
  ExampleEncoder from_bos(knows, 8), from_nothing(lacks, 8);
  from_bos.add_completion("", "hi", "x");
  from_bos.add_completion("a", "b", "x");
  from_nothing.add_completion("", "hi", "x");
  const auto examples = from_bos.take();
  CHECK(examples[0].ids == Ids{bos, 'h', 'i', eos});
  CHECK(examples[1].ids == Ids{'a', 'b', eos});
  CHECK(from_nothing.take()[0].target_tokens() == 2);
}

TEST_CASE("data: a completion that does not fit is cut and counted, a prompt that does not fit is an error") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 5);
  encoder.add_completion("ab=", "cdef", "x");
  encoder.add_completion("abc=", "d", "x");
  const auto examples = encoder.take();
  CHECK(examples[0].ids == Ids{'a', 'b', '=', 'c', 'd'});
  CHECK(examples[1].ids == Ids{'a', 'b', 'c', '=', 'd'});
  CHECK(encoder.report().cut_rows == 2);
  CHECK(encoder.report().cut_tokens == 4);
  HONE_CHECK_ERROR(data, encoder.add_completion("abcd=", "e", "t.jsonl:3"), "t.jsonl:3", "5 tokens", "context is 5");
}

TEST_CASE("data: rows longer than the context are cut at either end, left out or refused") {
  const LetterTokenizer tokenizer;
  const auto encoded = [&](Overlong overlong) {
    ExampleEncoder encoder(tokenizer, 5, {.overlong = overlong});
    encoder.add_completion("abcd=", "ef", "t.jsonl:1");
    encoder.add_completion("a=", "b", "t.jsonl:2");
    return EncodedRows{encoder.take(), encoder.report()};
  };
  const EncodedRows left = encoded(Overlong::truncate_left);
  REQUIRE(left.examples.size() == 2);
  CHECK(left.examples[0].ids == Ids{'d', '=', 'e', 'f', eos});
  CHECK(left.examples[0].context_tokens == 2);
  CHECK(left.report.text() == "2 rows, 9 tokens (5 learned); 1 cut to the context (3 tokens lost)");
  const EncodedRows skipped = encoded(Overlong::skip);
  REQUIRE(skipped.examples.size() == 1);
  CHECK(skipped.examples[0].row == 1);
  CHECK(skipped.report.text() == "2 rows, 4 tokens (2 learned); 1 longer than the context, left out");
  HONE_CHECK_ERROR(data, encoded(Overlong::truncate_right), "t.jsonl:1", "no token of the completion fits");
  HONE_CHECK_ERROR(data, encoded(Overlong::error), "t.jsonl:1", "8 tokens", "context is 5", "overlong: skip");

  ExampleEncoder texts(tokenizer, 3, {.learned = Learned::everything, .overlong = Overlong::truncate_left});
  texts.add_text("abcd", "t.txt:1");
  CHECK(texts.take()[0].ids == Ids{'c', 'd', eos});
  ExampleEncoder pairs(tokenizer, 4, {.overlong = Overlong::skip});
  pairs.add_pair("q", "yes", "no", "x");
  pairs.add_pair("q", "ye", "no", "x");
  CHECK(pairs.take().size() == 2);
  CHECK(pairs.report().skipped_rows == 1);
}

TEST_CASE("data: an encoder-decoder model keeps what its target begins with and its source ends with") {
  const LetterTokenizer tokenizer({.start = true});
  const auto encoded = [&](Overlong overlong) {
    ExampleEncoder encoder(tokenizer, {4, 7}, {.overlong = overlong});
    encoder.add_completion("abcdef", "uvwxyz", "x");
    return encoder.take();
  };
  const TokenExample right = encoded(Overlong::truncate_right)[0], left = encoded(Overlong::truncate_left)[0];
  CHECK(right.ids == Ids{7, 'u', 'v', 'w'});
  CHECK(right.source_ids == Ids{bos, 'a', 'b', 'f'});
  CHECK(left.ids == Ids{7, 'y', 'z', eos});
  CHECK(left.context_tokens == 1);
}

TEST_CASE("data: completions in a stream keep what is learned of each") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 4, {.packing = TextPacking::stream});
  encoder.add_completion("a=", "b", "x");
  encoder.add_completion("cdefgh=", "", "x");
  encoder.add_completion("c=", "d", "x");
  const auto blocks = encoder.take();
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].ids == Ids{'a', '=', 'b', eos});
  CHECK(blocks[0].learned == std::vector<std::uint8_t>{0, 0, 1, 1});
  CHECK(blocks[1].ids == Ids{eos, 'c', '=', 'd'});
  CHECK(blocks[1].learned == std::vector<std::uint8_t>{1, 0, 0, 1});
  CHECK(encoder.report().target_tokens == 4);
}

TEST_CASE("data: labelled texts have a class and no targets; cut ones keep their eos") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 4);
  encoder.add_labelled("abcdef", 1);
  encoder.add_labelled("", 0);
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 1);
  CHECK(examples[0].ids == Ids{'a', 'b', 'c', eos});
  CHECK(examples[0].label == 1);
  CHECK(examples[0].target_tokens() == 0);
  CHECK(encoder.report().cut_tokens == 3);
  CHECK(encoder.report().empty_rows == 1);
}

TEST_CASE("data: pairs are chosen and rejected side by side; an empty answer is an error") {
  const LetterTokenizer tokenizer;
  ExampleEncoder encoder(tokenizer, 9);
  encoder.add_pair("q", "yes", "no", "x");
  const auto examples = encoder.take();
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].ids == Ids{'q', 'y', 'e', 's', eos});
  CHECK(examples[1].ids == Ids{'q', 'n', 'o', eos});
  CHECK(examples[1].context_tokens == 1);
  CHECK(examples[0].row == examples[1].row);
  HONE_CHECK_ERROR(data, encoder.add_pair("q", "yes", "", "p.jsonl:2"), "p.jsonl:2", "`rejected` is empty");
  HONE_CHECK_ERROR(data, encoder.add_pair("q", "", "", "p.jsonl:2"), "`chosen` is empty");
  HONE_CHECK_ERROR(data, encoder.add_pair("q", "yes", "yes", "p.jsonl:3"), "p.jsonl:3", "are the same:");
  HONE_CHECK_ERROR(data, encoder.add_pair("q", "abcdefghij", "abcdefghkl", "p.jsonl:4"), "p.jsonl:4",
                   "are the same within the context");
}

TEST_CASE("data: splits are encoded by the objective their rows fit") {
  const test::Scratch scratch;
  const LetterTokenizer tokenizer;
  const Dataset answers = dataset(scratch,
                                  "{\"prompt\": \"a=\", \"completion\": \"b\"}\n"
                                  "{\"prompt\": \"c=\", \"completion\": \"\"}\n");
  const EncodedRows completions = encode_completions(answers, Split::train, tokenizer, 9);
  REQUIRE(completions.examples.size() == 1);
  CHECK(completions.report.empty_rows == 1);
  CHECK(encode_texts(answers, Split::train, tokenizer, 9, {.learned = Learned::everything}).examples[0].ids ==
        Ids{'a', '=', 'b', eos});
  HONE_CHECK_ERROR(data, encode_pairs(answers, Split::train, tokenizer, 9), "data.d", "prompt+chosen+rejected",
                   "found prompt+completion");

  const Dataset labelled = dataset(scratch, "{\"text\": \"a\", \"label\": \"y\"}\n{\"text\": \"b\", \"label\": 3}\n");
  const LabelSet labels = LabelSet::of(labelled.labels(Split::train));
  const auto classes = encode_labelled(labelled, Split::train, tokenizer, 9, labels).examples;
  CHECK(classes[0].label == 1);
  CHECK(classes[1].label == 0);
  const std::vector<std::string> others = {"y"};
  HONE_CHECK_ERROR(data, encode_labelled(labelled, Split::train, tokenizer, 9, LabelSet::of(others)), "d.jsonl:2",
                   "'3'");
  HONE_CHECK_ERROR(data, encode_completions(labelled, Split::train, tokenizer, 9), "found text+label");
  HONE_CHECK_ERROR(data, encode_texts(labelled, Split::held_out, tokenizer, 9, {.learned = Learned::everything}), "held_out");

  const Dataset pairs = dataset(scratch, "{\"prompt\": \"q\", \"chosen\": \"a\", \"rejected\": \"b\"}\n");
  CHECK(encode_pairs(pairs, Split::train, tokenizer, 9).examples.size() == 2);
  HONE_CHECK_ERROR(data, pairs.labels(Split::train), "have no label");
}

TEST_CASE("data: rows with nothing to learn and messages without a template are refused") {
  const test::Scratch scratch;
  const LetterTokenizer tokenizer;
  const Dataset masked = dataset(scratch, "{\"prompt\": \"a=\", \"completion\": \"\"}\n");
  HONE_CHECK_ERROR(data, encode_completions(masked, Split::train, tokenizer, 9), "all labels are masked", "completion");
  const Dataset chat = dataset(scratch, "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}\n");
  HONE_CHECK_ERROR(config, encode_completions(chat, Split::train, tokenizer, 9), "d.jsonl:1", "need a chat template",
                   "tokenizer.chat_template");
}

TEST_CASE("data: a prompt longer than the context names its row in the file") {
  const test::Scratch scratch;
  const Dataset data = dataset(scratch,
                               "{\"prompt\": \"a\", \"completion\": \"b\"}\n\n"
                               "{\"prompt\": \"abcdefghij\", \"completion\": \"b\"}\n");
  HONE_CHECK_ERROR(data, encode_completions(data, Split::train, LetterTokenizer(), 9), "d.jsonl:3", "10 tokens");
}

}  // namespace hone
