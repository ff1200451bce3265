#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "data/dataset.h"
#include "data/letter_tokenizer.h"
#include "data/normalize.h"
#include "support/error_of.h"
#include "support/scratch.h"

namespace hone {

using test::Scratch;

namespace {

Dataset load(const Scratch& scratch, std::string_view contents, DataConfig config, std::uint64_t seed = 0) {
  config.path = scratch.file("rows.jsonl", contents).string();
  return Dataset::load("d", config, seed);
}

std::vector<std::string> texts(const Dataset& data, Split split = Split::train) {
  std::vector<std::string> found;
  if (!data.has(split)) return found;
  for (const DataRow& row : data.rows(split)) found.push_back(row.text);
  return found;
}

std::map<std::string, int> class_counts(const Dataset& data, Split split = Split::train) {
  std::map<std::string, int> counts;
  for (const std::string& label : data.labels(split)) ++counts[label];
  return counts;
}

/// `rare` rows of class b among 100 of class a.
std::string two_classes(int rare) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += R"({"text": "common text )" + std::to_string(i) + R"(", "label": "a"})" "\n";
  for (int i = 0; i < rare; ++i) lines += R"({"text": "rare text )" + std::to_string(i) + R"(", "label": "b"})" "\n";
  return lines;
}

}  // namespace

TEST_CASE("data: rows are cleaned, then filtered by length") {
  const Scratch scratch;
  DataConfig config;
  config.preparation.clean.html = true;
  config.preparation.clean.white_space = true;
  config.preparation.filter.min_words = 2;
  config.preparation.filter.max_characters = 9;
  const std::string rows =
      "{\"text\": \"<b>one  two</b>\"}\n{\"text\": \"<i>alone</i>\"}\n{\"text\": \"far too long\"}\n{\"text\": \"äé öü\"}\n";
  const Dataset data = load(scratch, rows, config);
  CHECK(texts(data) == std::vector<std::string>{"one two", "äé öü"});
  CHECK(data.rows(Split::train)[1].line == 4);
  config.preparation.filter.min_words = 50;
  config.preparation.filter.max_characters.reset();
  HONE_CHECK_ERROR(data, load(scratch, rows, config).rows(Split::train), "none of the 4 rows");
}

TEST_CASE("data: rows are filtered by the tokens of all their texts") {
  const Scratch scratch;
  DataConfig config;
  config.path = scratch.file("rows.jsonl",
                             "{\"prompt\": \"abc\", \"completion\": \"d\"}\n{\"prompt\": \"ab\", \"completion\": \"\"}\n"
                             "{\"prompt\": \"abcd\", \"completion\": \"äb\"}\n")
                    .string();
  config.preparation.filter.min_tokens = 3;
  const test::LetterTokenizer tokenizer({.start = true});  // a token a byte; the start that it adds does not count
  const auto lines = [&] {
    std::vector<std::int64_t> found;
    const Dataset data = Dataset::load("d", config, 0, &tokenizer);
    for (const DataRow& row : data.rows(Split::train)) found.push_back(row.line);
    return found;
  };
  CHECK(lines() == std::vector<std::int64_t>{1, 3});
  config.preparation.filter.max_tokens = 6;
  CHECK(lines() == std::vector<std::int64_t>{1});
  HONE_CHECK_ERROR(config, Dataset::load("d", config), "data.d.filter", "there is no tokenizer yet", "words or characters");
}

TEST_CASE("data: words of tagged rows count as the tokens that they become") {
  const Scratch scratch;
  DataConfig config;
  config.path =
      scratch.file("rows.jsonl", "{\"tokens\": [\"ab\", \"c\"], \"tags\": [\"O\", \"O\"]}\n"
                                 "{\"tokens\": [\"ab\", \"cd\"], \"tags\": [\"O\", \"O\"]}\n").string();
  config.preparation.filter.max_tokens = 3;
  const test::LetterTokenizer tokenizer;
  CHECK(Dataset::load("d", config, 0, &tokenizer).rows(Split::train).size() == 1);
}

TEST_CASE("data: messages are cleaned, rows that point into their texts are refused") {
  const Scratch scratch;
  DataConfig config;
  config.preparation.clean.white_space = true;
  const Dataset data =
      load(scratch, R"({"messages": [{"role": "user", "content": " a  b "}]})", config);
  CHECK(data.rows(Split::train)[0].messages[0].content == "a b");
  HONE_CHECK_ERROR(config, load(scratch, R"({"tokens": ["a"], "tags": ["O"]})", config), "data.d.clean", "tokens+tags");
}

TEST_CASE("data: repeated rows go, and training rows that repeat held-out ones") {
  const Scratch scratch;
  DataConfig config;
  config.held_out_path = scratch.file("held.jsonl", "{\"text\": \"Held out!\"}\n{\"text\": \"held OUT\"}\n").string();
  config.preparation.deduplicate.exact = true;
  const std::string rows = "{\"text\": \"b\"}\n{\"text\": \"a\"}\n{\"text\": \"B.\"}\n{\"text\": \"held out\"}\n";
  const Dataset data = load(scratch, rows, config);
  CHECK(texts(data) == std::vector<std::string>{"b", "a"});
  CHECK(texts(data, Split::held_out) == std::vector<std::string>{"Held out!"});
}

TEST_CASE("data: nearly repeated rows go; equal prompts with other completions stay") {
  const Scratch scratch;
  DataConfig config;
  config.preparation.deduplicate.near = 0.6;
  const std::string a = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
  const Dataset data = load(scratch, "{\"text\": \"" + a + "\"}\n{\"text\": \"" + a + " more\"}\n{\"text\": \"other\"}\n",
                            config);
  CHECK(texts(data) == std::vector<std::string>{a, "other"});
  config.preparation.deduplicate = {.exact = true};
  const Dataset answers = load(
      scratch, "{\"prompt\": \"p\", \"completion\": \"x\"}\n{\"prompt\": \"p\", \"completion\": \"y\"}\n", config);
  CHECK(answers.rows(Split::train).size() == 2);
}

TEST_CASE("data: a stratified split holds out the share of every class, equal texts together") {
  const Scratch scratch;
  DataConfig config;
  config.held_out = 0.2;
  config.preparation.stratified = true;
  const Dataset data = load(scratch, two_classes(10), config);
  CHECK(class_counts(data, Split::held_out) == std::map<std::string, int>{{"a", 20}, {"b", 2}});
  CHECK(class_counts(data) == std::map<std::string, int>{{"a", 80}, {"b", 8}});
  std::string repeated;
  for (int i = 0; i < 20; ++i) {
    const std::string row = R"({"text": "t)" + std::to_string(i) + R"(", "label": "a"})" "\n";
    repeated += row + row;
  }
  const Dataset twins = load(scratch, repeated, config);
  std::set<std::string> held_out;
  for (const std::string& text : texts(twins, Split::held_out)) held_out.insert(text);
  for (const std::string& text : texts(twins)) CHECK_FALSE(held_out.contains(text));
  CHECK(texts(twins, Split::held_out).size() == 8);
  HONE_CHECK_ERROR(config, load(scratch, R"({"text": "no class"})", config), "data.d.stratified", "text+label");
}

TEST_CASE("data: classes are balanced by repeating or leaving out training rows") {
  const Scratch scratch;
  DataConfig config;
  config.held_out = 0.2;
  config.preparation.stratified = true;
  config.preparation.balance = Balance::oversample;
  const Dataset more = load(scratch, two_classes(30), config, 5);
  CHECK(class_counts(more) == std::map<std::string, int>{{"a", 80}, {"b", 80}});
  CHECK(class_counts(more, Split::held_out) == std::map<std::string, int>{{"a", 20}, {"b", 6}});
  std::map<std::string, int> times;
  for (const std::string& text : texts(more)) ++times[text];
  for (const auto& [text, count] : times) {
    CHECK((text.starts_with("rare") ? count == 3 || count == 4 : count == 1));  // 80 = 3 · 24 + 8
  }
  config.preparation.balance = Balance::undersample;
  const Dataset less = load(scratch, two_classes(30), config, 5);
  CHECK(class_counts(less) == std::map<std::string, int>{{"a", 24}, {"b", 24}});
  CHECK(texts(less) == texts(load(scratch, two_classes(30), config, 5)));
  CHECK(texts(less) != texts(load(scratch, two_classes(30), config, 6)));
}

TEST_CASE("data: altered copies follow the training rows and keep their labels") {
  const Scratch scratch;
  DataConfig config;
  config.held_out = 0.2;
  config.preparation.augment = {.copies = 2, .deletion = 0.4};
  const Dataset data = load(scratch, two_classes(20), config, 3);
  DataConfig plain;
  plain.held_out = 0.2;
  const Dataset before = load(scratch, two_classes(20), plain, 3);
  const std::size_t count = before.rows(Split::train).size();
  REQUIRE(data.rows(Split::train).size() == 3 * count);
  CHECK(texts(data, Split::held_out) == texts(before, Split::held_out));
  std::size_t changed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    CHECK(data.rows(Split::train)[i].text == before.rows(Split::train)[i].text);
    CHECK(data.rows(Split::train)[count + i].label == before.rows(Split::train)[i].label);
    changed += data.rows(Split::train)[count + i].text != data.rows(Split::train)[2 * count + i].text ? 1 : 0;
  }
  CHECK(changed > count / 2);
  CHECK(texts(data) == texts(load(scratch, two_classes(20), config, 3)));
  CHECK(texts(data) != texts(load(scratch, two_classes(20), config, 4)));
  HONE_CHECK_ERROR(config, load(scratch, R"({"prompt": "p", "completion": "c"})", {.preparation = config.preparation}),
                   "data.d.augment", "prompt+completion");
}

TEST_CASE("data: rows altered in each epoch are as many as before, and a visit always reads the same") {
  const Scratch scratch;
  DataConfig config;
  config.preparation.augment = {.copies = 3, .each_epoch = true, .deletion = 0.4};
  const Dataset data = load(scratch, two_classes(100), config, 3);
  REQUIRE(data.rows(Split::train).size() == 200);
  CHECK(data.alters());
  const Dataset again = load(scratch, two_classes(100), config, 3), other = load(scratch, two_classes(100), config, 4);
  int altered = 0, between_epochs = 0, between_seeds = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const DataRow visit = data.altered(i, 0);
    CHECK(visit.text == again.altered(i, 0).text);
    CHECK(visit.label == data.rows(Split::train)[i].label);
    altered += visit.text != data.rows(Split::train)[i].text ? 1 : 0;
    between_epochs += visit.text != data.altered(i, 1).text ? 1 : 0;
    between_seeds += visit.text != other.altered(i, 0).text ? 1 : 0;
  }
  CHECK(altered > 90);  // three of four visits, of which a chance of 0.6³ deletes nothing
  CHECK(altered < 150);
  CHECK(between_epochs > 90);
  CHECK(between_seeds > 90);
  CHECK_FALSE(load(scratch, two_classes(1), {}).alters());
  config.preparation.augment.deletion = 0;
  HONE_CHECK_ERROR(config, load(scratch, R"({"prompt": "p", "completion": "c"})", {.preparation = config.preparation}),
                   "data.d.augment", "prompt+completion");
}

TEST_CASE("data: of a mixture the rows of the parts that are altered are") {
  const Scratch scratch;
  DataConfig plain, altering;
  plain.path = scratch.file("plain.jsonl", two_classes(1)).string();
  altering.path = plain.path;
  altering.preparation.augment = {.copies = 9, .each_epoch = true, .swap = 0.5};
  DataConfig both;
  both.mixture.weights = {{"plain", 1}, {"altering", 1}};
  const Dataset mixed = load_dataset("both", {{"plain", plain}, {"altering", altering}, {"both", both}}, 1);
  CHECK(mixed.alters());
  int altered = 0;
  for (std::size_t i = 0; i < 202; ++i) {
    const bool changed = mixed.altered(i, 0).text != mixed.rows(Split::train)[i].text;
    if (i < 101) CHECK_FALSE(changed);
    altered += changed ? 1 : 0;
  }
  CHECK(altered > 60);
}

TEST_CASE("data: mixtures have the shares asked for, name places by file and keep held-out rows") {
  const Scratch scratch;
  std::string small, large;
  for (int i = 0; i < 10; ++i) small += "small " + std::to_string(i) + "\n";
  for (int i = 0; i < 90; ++i) large += "large " + std::to_string(i) + "\n";
  std::map<std::string, DataConfig> entries;
  entries["small"].path = scratch.file("small.txt", small).string();
  entries["large"].path = scratch.file("large.txt", large).string();
  entries["large"].held_out_path = scratch.file("held.txt", "held out\n").string();
  entries["both"].mixture.weights = {{"small", 1}, {"large", 3}};
  const auto share = [&] {
    const Dataset mixed = load_dataset("both", entries, 1);
    int from_small = 0;
    for (const std::string& text : texts(mixed)) from_small += text.starts_with("small") ? 1 : 0;
    return std::pair<int, std::size_t>(from_small, mixed.rows(Split::train).size());
  };
  CHECK(share() == std::pair<int, std::size_t>(25, 100));
  const Dataset mixed = load_dataset("both", entries, 1);
  CHECK(mixed.place(Split::train, 0).find("small.txt:") != std::string::npos);
  CHECK(mixed.place(Split::train, 99).find("large.txt:") != std::string::npos);
  CHECK(texts(mixed, Split::held_out) == std::vector<std::string>{"held out"});
  CHECK(mixed.place(Split::held_out, 0).find("held.txt:1") != std::string::npos);
  CHECK(texts(mixed) == texts(load_dataset("both", entries, 1)));
  entries["both"].mixture.temperature = 1;
  entries["both"].mixture.weights = {{"small", 1}, {"large", 1}};
  CHECK(share() == std::pair<int, std::size_t>(10, 100));
  entries["both"].mixture.temperature = 2;  // √10 : √90 = 1 : 3
  entries["both"].mixture.rows = 200;
  CHECK(share() == std::pair<int, std::size_t>(50, 200));
  entries["both"].mixture.weights = {{"smal", 1}};
  HONE_CHECK_ERROR(config, load_dataset("both", entries, 1), "data.both.mixture", "'smal'", "did you mean 'small'");
  entries["small"].path = scratch.file("small.jsonl", R"({"prompt": "a", "completion": "b"})").string();
  entries["both"].mixture.weights = {{"small", 1}, {"large", 1}};
  HONE_CHECK_ERROR(config, load_dataset("both", entries, 1), "same shape", "prompt+completion");
}

}  // namespace hone
