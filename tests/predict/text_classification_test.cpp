#include "predict/text_classification.h"

#include <cmath>

#include "golden_numbers.h"
#include "support/committed_golden.h"
#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {

TEST_CASE("predict: labels and scores are those of transformers' text-classification") {
  const Json golden = test::committed_golden("pipelines.json");
  for (const Json& test : golden.at("text_classification").as_array()) {
    INFO(test.dump());
    const std::vector<std::string> labels = test::texts_of(test.at("labels"));
    ScoreFunction function = score_function(test, labels.size(), "config.json");
    if (const Json& asked = test.at("function"); asked.is_string()) {
      function = asked.as_string() == "softmax"   ? ScoreFunction::softmax
                 : asked.as_string() == "sigmoid" ? ScoreFunction::sigmoid
                                                  : ScoreFunction::none;
    }
    const auto found = classify_text(test::floats_of(test.at("logits")), labels, function,
                                     static_cast<std::size_t>(test.at("top_k").as_integer()));
    test::check_json_near(to_json(found), test.at("expected"));
  }
}

TEST_CASE("predict: label names come from config.json") {
  const auto labels = [](const char* text) { return read_labels(Json::parse(text, "test"), "config.json"); };
  CHECK(labels(R"({"id2label": {"1": "b", "0": "a"}})") == std::vector<std::string>{"a", "b"});
  CHECK(labels("{}") == std::vector<std::string>{"LABEL_0", "LABEL_1"});
  CHECK(labels(R"({"num_labels": 1})") == std::vector<std::string>{"LABEL_0"});
  HONE_CHECK_ERROR(data, labels(R"({"id2label": {"0": "a", "2": "b"}})"), "config.json", "none for 1");
  HONE_CHECK_ERROR(data, labels(R"({"id2label": {}})"), "no names");
  HONE_CHECK_ERROR(data, labels(R"({"id2label": {"0": 3}})"), "string");
  HONE_CHECK_ERROR(data, labels(R"({"num_labels": -1})"), "num_labels is -1");
  HONE_CHECK_ERROR(data, score_function(Json::parse(R"({"problem_type": "ranking"})", "test"), 2, "config.json"),
                   "config.json", "ranking");
}

TEST_CASE("predict: equal scores keep the order of the labels, broken logits are told") {
  const std::vector<std::string> labels{"a", "b", "c"};
  const auto found = classify_text(std::vector<float>{1, 2, 2}, labels, ScoreFunction::softmax, 2);
  REQUIRE(found.size() == 2);
  CHECK(found[0].label == "b");
  CHECK(found[1].label == "c");
  CHECK(classify_text(std::vector<float>{1e30F, -1e30F, 0}, labels, ScoreFunction::softmax, 1)[0].score == 1.0F);
  HONE_CHECK_ERROR(data, classify_text(std::vector<float>{1}, labels, ScoreFunction::softmax, 1),
                   "1 logits for 3 labels");
  HONE_CHECK_ERROR(data, classify_text(std::vector<float>{1, std::nanf(""), 0}, labels, ScoreFunction::sigmoid, 1),
                   "logit 1 of 3 is not a number");
}

}  // namespace hone
