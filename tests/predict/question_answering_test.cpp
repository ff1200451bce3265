#include "predict/question_answering.h"

#include "golden_numbers.h"
#include "support/committed_golden.h"
#include "support/error_of.h"

#include <doctest/doctest.h>

namespace hone {
namespace {

/// Of tools/golden/question_answering.py.
PairTemplate template_of(const Json& test) {
  const bool roberta = test.at("roberta").as_bool();
  return {.before = {2},
          .between = roberta ? std::vector<std::int32_t>{3, 3} : std::vector<std::int32_t>{3},
          .behind = {3},
          .two_types = !roberta};
}

std::size_t size_of(const Json& value) { return static_cast<std::size_t>(value.as_integer()); }

struct Asked {
  std::vector<AnswerWindow> windows;
  std::vector<ContextToken> tokens;
  std::vector<std::vector<float>> rows;
  std::vector<SpanLogits> logits;
};

Asked asked(const Json& test) {
  Asked made;
  made.windows = answer_windows(test::ids_of(test.at("question_ids")), test::ids_of(test.at("context_ids")),
                                template_of(test), size_of(test.at("max_length")), size_of(test.at("stride")));
  for (const Json& token : test.at("tokens").as_array()) {
    const Json::Array& parts = token.as_array();
    made.tokens.push_back({size_of(parts[0]), size_of(parts[1]), static_cast<std::int32_t>(parts[2].as_integer())});
  }
  for (const Json& window : test.at("windows").as_array()) {
    made.rows.push_back(test::floats_of(window.at("start")));
    made.rows.push_back(test::floats_of(window.at("end")));
  }
  for (std::size_t i = 0; i < made.rows.size(); i += 2) made.logits.push_back({made.rows[i], made.rows[i + 1]});
  return made;
}

}  // namespace

TEST_CASE("predict: questions are cut into windows and answered as by transformers") {
  const Json golden = test::committed_golden("question_answering.json");
  std::size_t windows = 0, answers = 0;
  for (const Json& test : golden.at("cases").as_array()) {
    INFO(test.dump());
    const Asked question = asked(test);
    const Json::Array& expected = test.at("windows").as_array();
    REQUIRE(question.windows.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(question.windows[i].ids == test::ids_of(expected[i].at("ids")));
      CHECK(question.windows[i].type_ids == test::ids_of(expected[i].at("type_ids")));
    }
    const AnswerSettings settings{.top_k = size_of(test.at("top_k")),
                                  .max_answer_length = size_of(test.at("max_answer_len")),
                                  .handle_impossible_answer = test.at("handle_impossible_answer").as_bool(),
                                  .align_to_words = test.at("align_to_words").as_bool()};
    const auto found =
        find_answers(test.at("context").as_string(), question.tokens, question.windows, question.logits, settings);
    Json list = to_json(found);
    if (found.size() == 1) list = Json::Array{list};
    test::check_json_near(list, test.at("answers"));
    windows += expected.size();
    answers += found.size();
  }
  MESSAGE(golden.at("cases").as_array().size(), " questions, ", windows, " windows, ", answers, " answers");
}

TEST_CASE("predict: windows overlap by the stride and end with the context") {
  const PairTemplate around{.before = {100}, .between = {101}, .behind = {102}};
  const std::vector<std::int32_t> question{1, 2}, context{10, 11, 12, 13, 14, 15, 16};
  const auto windows = answer_windows(question, context, around, 8, 1);  // room for three
  REQUIRE(windows.size() == 3);
  CHECK(windows[0].ids == std::vector<std::int32_t>{100, 1, 2, 101, 10, 11, 12, 102});
  CHECK(windows[1].ids == std::vector<std::int32_t>{100, 1, 2, 101, 12, 13, 14, 102});
  CHECK(windows[2].ids == std::vector<std::int32_t>{100, 1, 2, 101, 14, 15, 16, 102});
  CHECK(windows[2].first_token == 4);
  CHECK(windows[2].context_begin == 4);
  CHECK(windows[0].type_ids == std::vector<std::int32_t>{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(answer_windows(question, context, around, 12, 200).size() == 1);
  const auto empty = answer_windows(question, {}, around, 5, 1);
  REQUIRE(empty.size() == 1);
  CHECK(empty[0].tokens == 0);
  HONE_CHECK_ERROR(data, answer_windows(question, context, around, 8, 3), "2 tokens", "leaves 3 of 8", "stride of 3");
  HONE_CHECK_ERROR(data, answer_windows(question, context, around, 4, 0), "leaves 0 of 4");
}

TEST_CASE("predict: without context tokens there is no answer but the empty one") {
  const PairTemplate around{.before = {100}, .between = {101}, .behind = {102}};
  const auto windows = answer_windows(std::vector<std::int32_t>{1}, {}, around, 9, 1);
  const std::vector<float> row(4, 0.5F);
  const std::vector<SpanLogits> logits{{row, row}};
  CHECK(find_answers("", {}, windows, logits, {}).empty());
  const auto none = find_answers("", {}, windows, logits, {.handle_impossible_answer = true});
  REQUIRE(none.size() == 1);
  CHECK(none[0].answer.empty());
  CHECK(none[0].score == doctest::Approx(1.0));
  CHECK(to_json(std::vector<Answer>{}).dump() == "[]");
}

TEST_CASE("predict: span logits that do not fit are refused") {
  const PairTemplate around{.before = {100}, .between = {101}, .behind = {102}};
  const std::vector<ContextToken> tokens{{0, 1, 0}};
  const auto windows = answer_windows(std::vector<std::int32_t>{1}, std::vector<std::int32_t>{5}, around, 9, 1);
  const std::vector<float> row(5, 0.5F), short_row(4, 0.5F), broken{0, 0, 0, std::nanf(""), 0};
  HONE_CHECK_ERROR(data, find_answers("a", tokens, windows, {}, {}), "1 windows but 0 rows");
  HONE_CHECK_ERROR(data, find_answers("a", tokens, windows, std::vector<SpanLogits>{{row, short_row}}, {}), "5 ids",
                   "4 end");
  HONE_CHECK_ERROR(data, find_answers("a", tokens, windows, std::vector<SpanLogits>{{broken, row}}, {}),
                   "span logit 3 of 5");
  CHECK(find_answers("a", tokens, windows, std::vector<SpanLogits>{{row, row}}, {})[0].answer == "a");
}

}  // namespace hone
