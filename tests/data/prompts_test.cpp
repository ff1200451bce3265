#include "data/prompts.h"

#include <doctest/doctest.h>

#include "support/error_of.h"
#include "support/scratch.h"

namespace hone {

namespace {

std::unique_ptr<PromptSource> source(std::string_view name, std::string_view contents, DataConfig config = {}) {
  const test::Scratch scratch;
  config.path = scratch.file(name, contents).string();
  return make_prompt_source(std::make_shared<const Dataset>(Dataset::load("d", config)));
}

}  // namespace

TEST_CASE("data: rows become prompts with a reference and a demonstration") {
  const auto rows = source("a.jsonl",
                           "{\"prompt\": \"p\", \"completion\": \"c\"}\n"
                           "{\"prompt\": \"q\", \"completion\": \"d\", \"reference\": 7}\n");
  REQUIRE(rows->size(Split::train) == 2);
  const Prompt first = rows->prompt(Split::train, 0), second = rows->prompt(Split::train, 1);
  CHECK(first.text == "p");
  CHECK(first.reference == Json("c"));
  CHECK(rows->demonstration(first) == "c");
  CHECK(second.reference == Json(7));
  CHECK(rows->demonstration(second) == "d");
  CHECK(first.id != second.id);
  CHECK(rows->prompt(Split::train, 1).id == second.id);
}

TEST_CASE("data: the first words of a text are a prompt, shorter texts are left out") {
  const auto rows = source("a.txt", "one  two three four\nfirst second \n a b c\n", {.prompt_words = 2});
  REQUIRE(rows->size(Split::train) == 2);
  const Prompt prompt = rows->prompt(Split::train, 0);
  CHECK(prompt.text == "one  two");
  CHECK(rows->demonstration(prompt) == " three four");
  CHECK(rows->prompt(Split::train, 1).text == " a b");
  CHECK(source("a.txt", "a b\n")->prompt(Split::train, 0).text == "a b");
  CHECK(source("a.txt", "a b\n")->prompt(Split::train, 0).reference.is_null());
  HONE_CHECK_ERROR(data, source("a.txt", "a b\n", {.prompt_words = 2}), "prompt_words");
  HONE_CHECK_ERROR(config, source("a.jsonl", R"({"prompt": "a b"})", {.prompt_words = 2}), "prompt_words", "prompt");
}

TEST_CASE("data: labels, chosen answers and last messages are references") {
  const auto labelled = source("a.tsv", "text\tlabel\nsome text here\tgood\n", {.prompt_words = 1});
  CHECK(labelled->prompt(Split::train, 0).reference == Json("good"));
  const auto pairs = source("a.jsonl", R"({"prompt": "p", "chosen": "c", "rejected": "r"})");
  CHECK(pairs->demonstration(pairs->prompt(Split::train, 0)) == "c");
  const auto chat = source("a.jsonl", R"({"messages": [{"role": "user", "content": "hi"},)"
                                      R"( {"role": "assistant", "content": "ho"}]})");
  const Prompt prompt = chat->prompt(Split::train, 0);
  CHECK(prompt.text.empty());
  REQUIRE(prompt.messages.size() == 1);
  CHECK(prompt.messages[0].content == "hi");
  CHECK(chat->demonstration(prompt) == "ho");
}

TEST_CASE("data: the whole row can be the reference") {
  DataConfig config;
  config.columns = {{"reference", "*"}};
  const auto tasks = source("a.jsonl", R"({"task_id": 1, "prompt": "def f", "test": "assert 1"})", config);
  CHECK(tasks->prompt(Split::train, 0).text == "def f");
  CHECK(tasks->prompt(Split::train, 0).reference.at("test") == Json("assert 1"));
  const auto texts = source("a.jsonl", R"({"text": "Write f.", "code": "c", "test_list": ["assert 1"]})", config);
  CHECK(texts->prompt(Split::train, 0).text == "Write f.");
  CHECK(texts->prompt(Split::train, 0).reference.at("test_list").as_array().size() == 1);
}

TEST_CASE("data: prompts of the two splits have ids of their own; an empty split has size 0") {
  std::string lines;
  for (int i = 0; i < 50; ++i) lines += "line " + std::to_string(i) + "\n";
  const auto rows = source("a.txt", lines, {.held_out = 0.3});
  CHECK(rows->size(Split::train) + rows->size(Split::held_out) == 50);
  CHECK(rows->prompt(Split::train, 3).id != rows->prompt(Split::held_out, 3).id);
  CHECK(rows->prompt(Split::held_out, 3).split == Split::held_out);
  const auto none = source("a.txt", lines);
  CHECK(none->size(Split::held_out) == 0);
  HONE_CHECK_ERROR(data, none->prompt(Split::held_out, 0), "held_out:");
}

TEST_CASE("data: each prompt is told with the row that it is of") {
  const test::Scratch scratch;
  DataConfig config{.prompt_words = 2};
  config.path = scratch.file("a.txt", "one two three\nshort\na b c\nd e f\n").string();
  const auto data = std::make_shared<const Dataset>(Dataset::load("d", config));
  std::vector<std::string> told;
  const auto tell = [&](const Prompt& prompt, std::size_t row) {
    const std::string place = data->place(Split::train, row);
    told.push_back(place.substr(place.rfind('/') + 1) + " " + prompt.text);
  };
  for_each_prompt(data, Split::train, 100, tell);
  CHECK(told == std::vector<std::string>{"a.txt:1 one two", "a.txt:3 a b", "a.txt:4 d e"});
  told.clear();
  for_each_prompt(data, Split::train, 1, tell);
  CHECK(told.size() == 1);
  for_each_prompt(data, Split::held_out, 100, tell);
  CHECK(told.size() == 1);
}

}  // namespace hone
