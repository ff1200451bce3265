#include <doctest/doctest.h>

#include <cmath>

#include "data/dataset.h"
#include "support/error_of.h"
#include "support/scratch.h"

namespace hone {

using test::Scratch;

namespace {

Dataset load(const Scratch& scratch, std::string_view name, std::string_view contents, DataConfig config = {}) {
  config.path = scratch.file(name, contents).string();
  return Dataset::load("d", config);
}

using Scores = std::vector<std::pair<std::string, double>>;

}  // namespace

TEST_CASE("data: rows with several scores have them by name") {
  const Scratch scratch;
  const Dataset rows = load(scratch, "a.jsonl", R"({"prompt": "a", "completion": "b", "scores": {"help": 3.5, "short": 1}})");
  CHECK(rows.shape_name() == "prompt+completion+scores");
  CHECK(rows.rows(Split::train)[0].scores == Scores{{"help", 3.5}, {"short", 1}});
  CHECK(load(scratch, "b.jsonl", R"({"text": "a", "scores": {"x": 0}})").shape_name() == "text+scores");

  const Dataset unknown = load(scratch, "c.jsonl", R"({"text": "a", "scores": {"x": null, "y": -1}})");
  CHECK(std::isnan(unknown.rows(Split::train)[0].scores[0].second));
  CHECK(unknown.rows(Split::train)[0].scores[1].second == -1);
}

TEST_CASE("data: columns of numbers together are the scores") {
  const Scratch scratch;
  DataConfig config;
  config.columns = {{"completion", "response"}};
  config.score_columns = {"helpfulness", "verbosity"};
  const Dataset rows =
      load(scratch, "a.jsonl", R"({"prompt": "a", "response": "b", "helpfulness": 4, "verbosity": 2, "other": "x"})", config);
  CHECK(rows.shape_name() == "prompt+completion+scores");
  CHECK(rows.rows(Split::train)[0].completion == "b");
  CHECK(rows.rows(Split::train)[0].scores == Scores{{"helpfulness", 4}, {"verbosity", 2}});
  const Dataset table = load(scratch, "b.csv", "prompt,response,helpfulness,verbosity\na,b,4,0.5\n", config);
  CHECK(table.rows(Split::train)[0].scores == Scores{{"helpfulness", 4}, {"verbosity", 0.5}});
  HONE_CHECK_ERROR(data, load(scratch, "c.jsonl", R"({"prompt": "a", "response": "b", "helpfulness": 4})", config),
                   "c.jsonl:1", "verbosity");
  HONE_CHECK_ERROR(data,
                   load(scratch, "e.jsonl", R"({"prompt": "a", "response": "b", "helpfulness": [], "verbosity": 1})", config),
                   "e.jsonl:1", "helpfulness", "a number");
}

TEST_CASE("data: pairs may say which answer is better in which respect") {
  const Scratch scratch;
  const Dataset pairs = load(
      scratch, "a.jsonl", R"({"prompt": "a", "chosen": "b", "rejected": "c", "preferences": {"help": 1, "safe": -1}})");
  CHECK(pairs.shape_name() == "prompt+chosen+rejected");
  CHECK(pairs.rows(Split::train)[0].scores == Scores{{"help", 1}, {"safe", -1}});
  HONE_CHECK_ERROR(data, load(scratch, "b.jsonl", R"({"prompt": "a", "chosen": "b", "rejected": "c", "preferences": 1})"),
                   "b.jsonl:1", "preferences", "names and numbers");
}

TEST_CASE("data: solutions are steps with a label each") {
  const Scratch scratch;
  const Dataset rows =
      load(scratch, "a.jsonl", R"({"prompt": "1+1=?", "completions": ["1+1 is 2.", "So 3."], "labels": [true, false]})");
  CHECK(rows.shape_name() == "prompt+completions+labels");
  const DataRow& row = rows.rows(Split::train)[0];
  CHECK(row.steps == std::vector<std::string>{"1+1 is 2.", "So 3."});
  CHECK(row.labels == std::vector<std::string>{"true", "false"});
  CHECK(rows.labels(Split::train).size() == 2);
  CHECK(load(scratch, "b.jsonl", R"({"prompt": "p", "completions": ["x"], "labels": [-1]})").rows(Split::train)[0].labels ==
        std::vector<std::string>{"-1"});
  HONE_CHECK_ERROR(data, load(scratch, "c.jsonl", R"({"prompt": "p", "completions": ["x", "y"], "labels": [true]})"),
                   "c.jsonl:1", "labels", "2 steps", "1");
  HONE_CHECK_ERROR(data, load(scratch, "e.jsonl", R"({"prompt": "p", "completions": [], "labels": []})"), "e.jsonl:1");
  HONE_CHECK_ERROR(data, load(scratch, "f.jsonl", R"({"prompt": "p", "completions": ["x"], "labels": [0.5]})"), "f.jsonl:1");
}

}  // namespace hone
