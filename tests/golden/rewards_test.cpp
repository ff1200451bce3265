#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "rewards/format.h"
#include "rewards/length.h"
#include "rewards/model_score.h"
#include "rewards/numeric_answer.h"
#include "rewards/repetition.h"
#include "tests/support/episodes.h"
#include "tests/support/golden.h"

namespace hone {

namespace {

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list.as_array()) values.push_back(value.as_number());
  return values;
}

Score score_of(const RewardSpec& spec, const Episode& episode) {
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

/// Says the values it was made with.
class Fixed : public TextScorer {
 public:
  explicit Fixed(std::vector<double> values) : values_(std::move(values)) {}
  std::vector<double> score(std::span<const Item>) override { return values_; }

 private:
  std::vector<double> values_;
};

void check_scale(const Json& golden) {
  const auto raw = numbers(golden.at("inputs").at("rewards"));
  const auto range = numbers(golden.at("inputs").at("source_target_min_max"));
  const auto expected = numbers(golden.at("expected"));
  Services services;
  services.scorer = [&raw](const std::string&) { return std::make_unique<Fixed>(raw); };
  ModelScoreSpec spec;
  spec.from = {range[0], range[1]};
  spec.to = {range[2], range[3]};
  const auto scores = spec.make(services)->score(std::vector<Episode>(raw.size(), test::episode("text")));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(std::abs(scores[i].value - expected[i]) <= golden.at("tol").as_number());
  }
}

/// `rewards` (zeros when absent) plus the penalty.
void check_overlong(const Json& golden, const LengthSpec& spec) {
  const auto lengths = numbers(golden.at("inputs").at("lengths"));
  const Json* rewards = golden.at("inputs").find("rewards");
  const auto expected = numbers(golden.at("expected"));
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(lengths[i]), 1);
    const double shaped = (rewards == nullptr ? 0.0 : rewards->as_array()[i].as_number()) +
                          score_of(spec, test::episode_of_ids(ids)).value;
    CHECK(std::abs(shaped - expected[i]) <= golden.at("tol").as_number());
  }
}

/// Pairs of completion and reference; null is what cannot be judged.
void check_numeric(const Json& golden, const NumericAnswerSpec& spec) {
  const auto& inputs = golden.at("inputs").as_array();
  const auto& expected = golden.at("expected").as_array();
  REQUIRE(inputs.size() == expected.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& completion = inputs[i].as_array()[0].as_string();
    CAPTURE(completion);
    const Score score = score_of(spec, test::episode(completion, test::answer(inputs[i].as_array()[1])));
    CHECK((score.status == ScoreStatus::error) == expected[i].is_null());
    if (!expected[i].is_null()) CHECK(score.value == expected[i].as_number());
  }
}

}  // namespace

TEST_CASE("golden: reward scaling with clipping") {
  HONE_NEEDS_TEST_DATA(data);
  check_scale(test::golden_case(data, "rewards.json", "nemo_scale_base"));
  check_scale(test::golden_case(data, "rewards.json", "nemo_scale_dapo"));
  check_scale(test::golden_case(data, "rewards.json", "nemo_scale_clipping"));
}

TEST_CASE("golden: overlong penalties, with and without a floor") {
  HONE_NEEDS_TEST_DATA(data);
  LengthSpec nemo;
  nemo.max = 25;
  nemo.buffer = 5;
  nemo.penalty = 0.5;
  nemo.floor = false;
  check_overlong(test::golden_case(data, "rewards.json", "nemo_overlong"), nemo);
  check_overlong(test::golden_case(data, "rewards.json", "nemo_overlong_raw0"), nemo);
  LengthSpec trl;
  trl.max = 100;
  trl.buffer = 20;
  check_overlong(test::golden_case(data, "rewards.json", "trl_soft_overlong"), trl);
}

TEST_CASE("golden: repetition penalty") {
  HONE_NEEDS_TEST_DATA(data);
  const Json golden = test::golden_case(data, "rewards.json", "trl_repetition");
  const auto expected = numbers(golden.at("expected"));
  const auto& inputs = golden.at("inputs").as_array();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::int32_t> ids;
    for (const Json& id : inputs[i].at("ids").as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
    RepetitionSpec spec;
    spec.n = inputs[i].at("n").as_integer();
    spec.penalty = -inputs[i].at("max_penalty").as_number();
    CHECK(std::abs(score_of(spec, test::episode_of_ids(ids)).value - expected[i]) <= golden.at("tol").as_number());
  }
}

TEST_CASE("golden: the think format") {
  HONE_NEEDS_TEST_DATA(data);
  const Json golden = test::golden_case(data, "rewards.json", "trl_think_format");
  const auto expected = numbers(golden.at("expected"));
  FormatSpec spec;
  spec.pattern = "(?s)<think>(?!.*<think>)(.*?)</think>.*";
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::string& completion = golden.at("inputs").as_array()[i].as_string();
    CAPTURE(completion);
    CHECK(score_of(spec, test::episode(completion)).value == expected[i]);
  }
}

TEST_CASE("golden: numeric accuracy, also after the reasoning") {
  HONE_NEEDS_TEST_DATA(data);
  NumericAnswerSpec spec;
  check_numeric(test::golden_case(data, "rewards.json", "trl_accuracy"), spec);
  spec.after = "</think>";
  check_numeric(test::golden_case(data, "rewards.json", "trl_reasoning_accuracy"), spec);
}

}  // namespace hone
