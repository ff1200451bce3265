#include "predict/text_task.h"

#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

const char* const kT5 = R"({"task_specific_params": {
  "summarization": {"early_stopping": true, "length_penalty": 2.0, "max_length": 200, "num_beams": 4,
                    "prefix": "summarize: "},
  "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 300},
  "translation_en_to_fr": {"prefix": "translate English to French: "}}})";

TextTask task_of(const char* config, const std::string& task) {
  return read_text_task(Json::parse(config, "test"), {.task = task}, "config.json");
}

TextTask translation(const char* config, const std::string& from, const std::string& to,
                     std::optional<std::string> prefix = std::nullopt) {
  return read_text_task(Json::parse(config, "test"), {.task = "translation", .from = from, .to = to, .prefix = prefix},
                        "config.json");
}

}  // namespace

TEST_CASE("predict: the prefix and settings of a task are those of config.json") {
  const TextTask summary = task_of(kT5, "summarization");
  CHECK(summary.prefix == "summarize: ");
  CHECK(summary.generation.dump() == R"({"early_stopping":true,"length_penalty":2.0,"max_length":200,"num_beams":4})");
  CHECK(task_of(kT5, "translation_en_to_fr").prefix == "translate English to French: ");
  CHECK(task_of(kT5, "translation_en_to_fr").generation.as_object().empty());
  CHECK(task_of(kT5, "translation_en_to_ro").prefix.empty());
  HONE_CHECK_ERROR(config, task_of(kT5, "translation"), "translation_en_to_de, translation_en_to_fr");
  CHECK(task_of(R"({"task_specific_params": {"translation_a_to_b": {"prefix": "x "}}})", "translation").prefix == "x ");
  CHECK(task_of(R"({"prefix": "always "})", "summarization").prefix == "always ");
  CHECK(task_of(R"({"prefix": null, "task_specific_params": null})", "summarization").prefix.empty());
}

TEST_CASE("predict: languages name a model's translation task, or make the prefix of a model that lists none") {
  CHECK(translation(kT5, "en", "de").prefix == "translate English to German: ");
  CHECK(translation(kT5, "en", "de").generation.dump() == R"({"max_length":300})");
  CHECK(translation(kT5, "English", "German").generation.dump() == R"({"max_length":300})");
  HONE_CHECK_ERROR(config, translation(kT5, "de", "en"), "no translation from de to en",
                   "translation_en_to_de, translation_en_to_fr", "prefix");
  CHECK(translation(kT5, "de", "en", "to English: ").prefix == "to English: ");
  CHECK(translation("{}", "English", "Swahili").prefix == "translate English to Swahili: ");
  CHECK(translation(kT5, "en", "de", "").prefix.empty());
  CHECK(translation(kT5, "", "", "x ").prefix == "x ");
}

TEST_CASE("predict: task settings of another type are refused") {
  HONE_CHECK_ERROR(data, task_of(R"({"task_specific_params": []})", "summarization"), "config.json",
                   "task_specific_params", "array");
  HONE_CHECK_ERROR(data, task_of(R"({"task_specific_params": {"summarization": 1}})", "summarization"),
                   "task_specific_params.summarization");
  HONE_CHECK_ERROR(data, task_of(R"({"task_specific_params": {"summarization": {"prefix": 1}}})", "summarization"),
                   "task_specific_params.summarization.prefix");
  HONE_CHECK_ERROR(data, task_of(R"({"prefix": 1})", "summarization"), "prefix is of type");
}

TEST_CASE("predict: each text task has its own key in JSON") {
  CHECK(text_task_json("summarization", "a").dump() == R"({"summary_text":"a"})");
  CHECK(text_task_json("translation_en_to_de", "a").dump() == R"({"translation_text":"a"})");
  CHECK(text_task_json("text2text-generation", "a").dump() == R"({"generated_text":"a"})");
}

}  // namespace hone
