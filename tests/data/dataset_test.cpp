#include "data/dataset.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/log.h"
#include "data/normalize.h"
#include "support/error_of.h"
#include "support/scratch.h"
#include "support/test_data.h"

namespace hone {

using test::Scratch;

namespace {

Dataset load(const Scratch& scratch, std::string_view name, std::string_view contents, DataConfig config = {}) {
  config.path = scratch.file(name, contents).string();
  return Dataset::load("d", config);
}

/// `count` texts that differ, each in three spellings that do not.
std::string near_identical(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += "Row number " + std::to_string(i) + ", it's here.\nROW NUMBER " + std::to_string(i) +
             " IT'S HERE\n  row " + "number  " + std::to_string(i) + " it 's here !\n";
  }
  return lines;
}

std::set<std::string> identities(const Dataset& data, Split split) {
  std::set<std::string> found;
  for (const DataRow& row : data.rows(split)) found.insert(normalized_text(row.identity()));
  return found;
}

bool disjoint(const std::set<std::string>& a, const std::set<std::string>& b) {
  for (const std::string& text : a) {
    if (b.contains(text)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("data: the shape follows the columns of the first row") {
  const Scratch scratch;
  const auto shape = [&](std::string_view row) { return load(scratch, "a.jsonl", row).shape_name(); };
  CHECK(shape(R"({"text": "a"})") == "text");
  CHECK(shape(R"({"text": "a", "label": 1})") == "text+label");
  CHECK(shape(R"({"prompt": "a", "reference": {"x": 1}})") == "prompt");
  CHECK(shape(R"({"prompt": "a", "completion": "b", "text": "c"})") == "prompt+completion");
  CHECK(shape(R"({"prompt": "a", "label": "good"})") == "prompt+label");
  CHECK(shape(R"({"prompt": "a", "chosen": "b", "rejected": "c"})") == "prompt+chosen+rejected");
  CHECK(shape(R"({"messages": [{"role": "user", "content": "hi"}]})") == "messages");
  CHECK(shape(R"({"instruction": "a", "input": "", "output": "c"})") == "prompt+completion");
  CHECK(shape(R"({"conversations": [{"from": "human", "value": "hi"}]})") == "messages");
}

TEST_CASE("data: rows keep what their shape has") {
  const Scratch scratch;
  const Dataset prompts = load(scratch, "a.jsonl", R"({"prompt": "a", "completion": "b", "reference": [1, "x"]})");
  const DataRow& row = prompts.rows(Split::train)[0];
  CHECK(row.prompt == "a");
  CHECK(row.completion == "b");
  CHECK(row.reference == Json(Json::Array{1, "x"}));
  CHECK(row.line == 1);

  const Dataset alpaca = load(scratch, "b.json",
                              R"([{"instruction": "Add", "input": "1 2", "output": "3"},
                                  {"instruction": "Sing", "output": "la"}])");
  CHECK(alpaca.rows(Split::train)[0].prompt == "Add\n1 2");
  CHECK(alpaca.rows(Split::train)[1].prompt == "Sing");
  CHECK(alpaca.rows(Split::train)[1].completion == "la");

  const Dataset chat = load(scratch, "c.jsonl",
                            R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "h"},)"
                            R"( {"from": "gpt", "value": "g"}]})");
  const auto& messages = chat.rows(Split::train)[0].messages;
  REQUIRE(messages.size() == 3);
  CHECK(messages[0].role == "system");
  CHECK(messages[1].role == "user");
  CHECK(messages[2].role == "assistant");
  CHECK(messages[2].content == "g");
}

TEST_CASE("data: columns have other names, none, or a label before the text") {
  const Scratch scratch;
  const DataConfig mapped{.columns = {{"prompt", "question"}, {"completion", "answer"}, {"reference", "answer"}}};
  const Dataset questions = load(scratch, "a.csv", "question,answer\n\"1, 2?\",3\n", mapped);
  CHECK(questions.rows(Split::train)[0].prompt == "1, 2?");
  CHECK(questions.rows(Split::train)[0].completion == "3");
  CHECK(questions.rows(Split::train)[0].reference == Json("3"));
  CHECK(questions.place(Split::train, 0).ends_with("a.csv:2"));

  const Dataset bare = load(scratch, "a.tsv", "a b\t1\nc\t0\n", {.column_names = {"text", "label"}});
  CHECK(bare.labels(Split::train) == std::vector<std::string>{"1", "0"});

  const DataConfig latin{.format = TableFormat::label_text, .encoding = CharacterEncoding::latin1};
  const Dataset prefixed = load(scratch, "x.all", "1 caf\xE9 , good\n0 bad\n", latin);
  CHECK(prefixed.rows(Split::train)[0].text == "café , good");
  CHECK(prefixed.rows(Split::train)[1].label == "0");
}

TEST_CASE("data: bad files are refused with file, line, what was found and what is near") {
  const Scratch scratch;
  const auto fails = [&](std::string_view rows, const DataConfig& config = {}) {
    return test::error_of([&] { load(scratch, "a.jsonl", rows, config); });
  };
  const auto refused = [&](std::string_view rows, std::initializer_list<std::string_view> parts,
                           const DataConfig& config = {}) {
    const auto error = fails(rows, config);
    REQUIRE(error.has_value());
    INFO(error->message);
    CHECK(error->kind == ErrorKind::data);
    for (const std::string_view part : parts) {
      INFO("missing: ", part);
      CHECK(error->has(part));
    }
  };
  refused("", {"a.jsonl", "no rows"});
  refused("\n\n", {"a.jsonl", "no rows"});
  refused("{\"text\": \"a\"}\nnot json\n", {"a.jsonl:2"});
  refused(R"({"txt": "a"})", {"a.jsonl:1", "(txt)", "columns: {text: txt}"});
  refused(R"({"sentence": "a"})", {"a.jsonl:1", "`sentense`", "did you mean `sentence`"},
          {.columns = {{"text", "sentense"}}});
  refused(R"({"prompt": "a"})", {"a.jsonl:1", "`completion`"}, {.shape = DataShape::prompt_completion});
  refused("{\"text\": \"a\"}\n{\"tex\": \"b\"}\n", {"a.jsonl:2", "`text`", "did you mean `tex`"});
  refused(R"({"text": 3})", {"a.jsonl:1", "`text`", "expected text", "integer"});
  refused(R"({"text": null})", {"`text`", "null"});
  refused("{\"text\": \"a\"}\n{\"text\": \"b\", \"label\": 1}\n",
          {"a.jsonl:2", "a row of text+label", "rows of text;", "`shape:`"});
  refused(R"({"text": "a", "label": [1]})", {"`label`", "array"});
  refused(R"({"text": "a", "label": ""})", {"`label`", "empty"});
  refused(R"({"messages": []})", {"`messages`", "empty list"});
  refused(R"({"messages": [{"role": "user"}]})", {"`messages`", "`content`", "message 1"});
  refused(R"({"conversations": [{"from": "alien", "value": "x"}]})", {"'alien'", "human"});
  refused("{\"text\": \"caf\xE9\"}", {"a.jsonl:1"});
}

TEST_CASE("data: rows of pairs, values, several labels, tags, questions and triplets") {
  const Scratch scratch;
  const auto row = [&](std::string_view text, std::string_view shape, const DataConfig& config = {}) {
    const Dataset data = load(scratch, "a.jsonl", text, config);
    CHECK(data.shape_name() == shape);
    return data.rows(Split::train)[0];
  };
  const DataRow pair = row(R"({"text": "a", "text_pair": "b", "label": 2.5})", "text+text_pair+label");
  CHECK(pair.text_pair == "b");
  CHECK(pair.label == "2.5");
  CHECK(pair.identity() == "a\nb");
  CHECK(row(R"({"text": "a", "text_pair": "b"})", "text+text_pair").text_pair == "b");
  CHECK(row(R"({"text": "a", "text_pair": "b", "value": "-1e-1"})", "text+text_pair+value").value == -0.1);
  CHECK(row(R"({"score": 4, "s": "a"})", "text+value", {.columns = {{"value", "score"}, {"text", "s"}}}).value == 4);
  CHECK(row(R"({"text": "a", "labels": ["x", 3]})", "text+labels").labels == std::vector<std::string>{"x", "3"});
  CHECK(row(R"({"text": "a", "labels": []})", "text+labels").labels.empty());
  CHECK(row(R"({"prompt": "a", "completion": "b", "label": false})", "prompt+completion+label").label == "false");

  const DataRow words = row(R"({"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]})", "tokens+tags");
  CHECK(words.identity() == "EU rejects");
  CHECK(words.tags == std::vector<std::string>{"B-ORG", "O"});

  const DataRow asked = row(
      R"({"context": "né en 1990.", "question": "when?", "answers": {"text": ["1990", "en 1990"], "answer_start": [6, 3]}})",
      "context+question+answers");
  REQUIRE(asked.answers.size() == 2);
  CHECK(asked.answers[0].begin == 7);  // é has two bytes
  CHECK(asked.answers[1].begin == 4);
  CHECK(asked.identity() == "né en 1990.");

  const DataRow triplet = row(R"({"anchor": "a", "positive": "b", "negative": "c"})", "anchor+positive+negative");
  CHECK(triplet.text == "a");
  CHECK(triplet.positive == "b");
  CHECK(triplet.negative == "c");
  CHECK(row(R"({"anchor": "a", "positive": "b"})", "anchor+positive").positive == "b");

  const DataRow judged = row(R"({"messages": [{"role": "user", "content": "hi"}], "label": true})", "messages+label");
  CHECK(judged.label == "true");
  const DataRow shared = row(R"({"conversations": [{"from": "human", "value": "hi"}], )"
                             R"("chosen": {"from": "gpt", "value": "b"}, "rejected": {"from": "gpt", "value": "c"}})",
                             "messages+chosen+rejected");
  CHECK(shared.messages[0].role == "user");
  CHECK(shared.chosen == "b");
  CHECK(shared.rejected == "c");
  const DataRow listed = row(R"({"prompt": [{"role": "user", "content": "hi"}], "rejected": "c", )"
                             R"("chosen": [{"role": "assistant", "content": "b"}]})",
                             "messages+chosen+rejected", {.columns = {{"messages", "prompt"}}});
  CHECK(listed.chosen == "b");
}

TEST_CASE("data: what is wrong with values, lists and answers is told with its row") {
  const Scratch scratch;
  const auto refused = [&](const std::string& row, std::initializer_list<std::string_view> parts) {
    const auto error = test::error_of([&] { load(scratch, "a.jsonl", row); });
    REQUIRE(error.has_value());
    INFO(error->message);
    CHECK(error->kind == ErrorKind::data);
    CHECK(error->has("a.jsonl:1"));
    for (const std::string_view part : parts) CHECK(error->has(part));
  };
  refused(R"({"text": "a", "value": "good"})", {"number", "'good'"});
  refused(R"({"text": "a", "value": "inf"})", {"number", "'inf'"});
  refused(R"({"text": "a", "value": true})", {"`value`", "number"});
  refused(R"({"text": "a", "labels": "x"})", {"`labels`", "list"});
  refused(R"({"text": "a", "labels": [1.5]})", {"`labels`", "1.5"});
  refused(R"({"tokens": ["a", "b"], "tags": ["O"]})", {"`tags`", "2 tokens", "found 1"});
  refused(R"({"tokens": [], "tags": []})", {"`tags`", "at least one"});
  refused(R"({"context": "abc", "question": "q", "answers": {"text": ["b"], "answer_start": [0]}})",
          {"`answers`", "\"b\" at character 0", "\"a\""});
  refused(R"({"context": "abc", "question": "q", "answers": {"text": ["b"], "answer_start": [9]}})",
          {"`answers`", "character 9", "its end"});
  refused(R"({"context": "abc", "question": "q", "answers": ["b"]})", {"`answers`", "answer_start"});
  refused(R"({"messages": [{"role": "user", "content": "hi"}], "chosen": [], "rejected": "c"})", {"`chosen`"});
}

TEST_CASE("data: two files of parallel lines are prompts and completions") {
  const Scratch scratch;
  DataConfig config;
  config.path = scratch.file("a.en", "one\ntwo\n").string();
  config.format = TableFormat::text;
  config.target_path = scratch.file("a.de", "eins\nzwei\n").string();
  const Dataset data = Dataset::load("d", config);
  CHECK(data.shape() == DataShape::prompt_completion);
  REQUIRE(data.rows(Split::train).size() == 2);
  CHECK(data.rows(Split::train)[1].prompt == "two");
  CHECK(data.rows(Split::train)[1].completion == "zwei");
  const auto message = [&](std::string_view targets) {
    config.target_path = scratch.file("b.de", targets).string();
    const auto error = test::error_of([&] { Dataset::load("d", config); });
    return error ? error->message : std::string();
  };
  CHECK(message("eins\n").find("b.de has no line 2") != std::string::npos);
  CHECK(message("\nzwei\n").find("b.de has no line 1, or a blank one") != std::string::npos);
  CHECK(message("eins\nzwei\ndrei\n").find("a.en has no line 3") != std::string::npos);
}

TEST_CASE("data: near-identical rows never straddle the splits, and more rows move none") {
  const Scratch scratch;
  const Dataset small = load(scratch, "a.txt", near_identical(200), {.held_out = 0.2});
  const Dataset large = load(scratch, "b.txt", near_identical(400), {.held_out = 0.2});
  const auto train = identities(small, Split::train), held_out = identities(small, Split::held_out);
  CHECK(disjoint(train, held_out));
  CHECK(train.size() + held_out.size() == 200);
  CHECK(held_out.size() > 20);
  CHECK(held_out.size() < 60);
  CHECK(small.rows(Split::held_out).size() == 3 * held_out.size());
  CHECK(disjoint(identities(large, Split::train), held_out));
  CHECK(disjoint(identities(large, Split::held_out), train));
}

TEST_CASE("data: parts are disjoint, cover everything and hold out on their own") {
  const Scratch scratch;
  const std::string lines = near_identical(300);
  std::set<std::string> all;
  for (const std::int64_t index : {0, 1, 2}) {
    const Dataset part = load(scratch, "a.txt", lines, {.held_out = 0.2, .part = {.of = 3, .index = index}});
    for (const Split split : {Split::train, Split::held_out}) {
      const auto found = identities(part, split);
      CHECK(disjoint(found, all));
      all.insert(found.begin(), found.end());
    }
    CHECK(part.rows(Split::held_out).size() > 3 * 8);
  }
  CHECK(all.size() == 300);
}

TEST_CASE("data: a prompt with several answers stays in one split") {
  const Scratch scratch;
  std::string rows;
  for (int i = 0; i < 400; ++i) {
    rows += "{\"prompt\": \"p" + std::to_string(i % 100) + "\", \"completion\": \"" + std::to_string(i) + "\"}\n";
  }
  const Dataset data = load(scratch, "a.jsonl", rows, {.held_out = 0.3});
  CHECK(disjoint(identities(data, Split::train), identities(data, Split::held_out)));
}

TEST_CASE("data: held-out rows come from a file of their own, which warns when it repeats training rows") {
  const Scratch scratch;
  const std::string held_out = scratch.file("h.txt", "A!\nsomething else\n").string();
  std::string logged;
  set_log_printer([&](std::string_view line) { logged += line; });
  const Dataset data = load(scratch, "a.txt", "a\nb\n", {.held_out_path = held_out});
  set_log_printer({});
  CHECK(data.rows(Split::train).size() == 2);
  CHECK(data.rows(Split::held_out).size() == 2);
  CHECK(data.place(Split::held_out, 1).ends_with("h.txt:2"));
  CHECK(logged.find("1 of 2 held-out rows") != std::string::npos);
  CHECK(data.summary() == "2 training and 2 held-out rows of text");
}

TEST_CASE("data: an empty split says why it is empty") {
  const Scratch scratch;
  const Dataset none = load(scratch, "a.txt", "a\n");
  CHECK(!none.has(Split::held_out));
  HONE_CHECK_ERROR(data, none.rows(Split::held_out), "data.d", "held_out:", "held_out_path:");
  const Dataset tiny = load(scratch, "a.txt", "a\n", {.held_out = 0.000001});
  HONE_CHECK_ERROR(data, tiny.rows(Split::held_out), "a.txt", "held-out", "1 training");
  const Dataset all = load(scratch, "a.txt", "a\n", {.held_out = 0.999999});
  HONE_CHECK_ERROR(data, all.rows(Split::train), "a.txt", "training", "1 held-out");
}

TEST_CASE("data: limit reads the first rows only, and what follows may be broken") {
  const Scratch scratch;
  CHECK(load(scratch, "a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\nbroken", {.limit = 2})
            .rows(Split::train)
            .size() == 2);
}

TEST_CASE("data: the labelled reviews in latin-1") {
  HONE_NEEDS_TEST_DATA(folder);
  DataConfig config{.path = folder / "datasets/sentconv/rt-polarity.all",
                    .format = TableFormat::label_text,
                    .encoding = CharacterEncoding::latin1,
                    .held_out = 0.1};
  const Dataset all = Dataset::load("reviews", config);
  std::map<std::string, int> counts;
  for (const Split split : {Split::train, Split::held_out}) {
    for (const std::string& label : all.labels(split)) ++counts[label];
  }
  CHECK(counts == std::map<std::string, int>{{"0", 5331}, {"1", 5331}});
  CHECK(disjoint(identities(all, Split::train), identities(all, Split::held_out)));
  CHECK(all.rows(Split::held_out).size() > 960);
  CHECK(all.rows(Split::held_out).size() < 1170);

  config.part = {.of = 2, .index = 0};
  const Dataset half = Dataset::load("reviews", config);
  CHECK(half.rows(Split::train).size() > 4600);
  CHECK(half.rows(Split::train).size() < 5000);

  config.encoding = CharacterEncoding::utf8;
  HONE_CHECK_ERROR(data, Dataset::load("reviews", config), "rt-polarity.all", "latin-1");
}

TEST_CASE("data: real csv, tsv, json and jsonl files") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto sets = folder / "datasets";
  const Dataset intents =
      Dataset::load("intents", {.path = sets / "banking77/train.csv", .columns = {{"label", "category"}}});
  const auto labels = intents.labels(Split::train);
  CHECK(labels.size() == 10003);
  CHECK(std::set<std::string>(labels.begin(), labels.end()).size() == 77);

  const DataConfig questions{.path = sets / "gsm8k/train.jsonl",
                             .columns = {{"prompt", "question"}, {"completion", "answer"}}};
  CHECK(Dataset::load("math", questions).rows(Split::train).size() == 7473);

  const DataConfig sst{.path = sets / "sst2/train.tsv", .column_names = {"text", "label"}};
  CHECK(Dataset::load("sst2", sst).rows(Split::train).size() == 6920);
  const DataConfig cola{.path = sets / "cola/in_domain_train.tsv", .column_names = {"source", "label", "mark", "text"}};
  CHECK(Dataset::load("cola", cola).rows(Split::train).size() == 8551);
  const Dataset alpaca = Dataset::load("alpaca", {.path = sets / "llamafactory_demo/alpaca_en_demo.json"});
  CHECK(alpaca.shape() == DataShape::prompt_completion);
  const Dataset tools = Dataset::load("tools", {.path = sets / "llamafactory_demo/glaive_toolcall_en_demo.json"});
  CHECK(tools.shape() == DataShape::messages);
}

}  // namespace hone
