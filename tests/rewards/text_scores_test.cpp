#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "rewards/fluency.h"
#include "rewards/model_score.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

/// Says the number of bytes of the completion, negated; remembers what it was asked.
class Lengths : public TextScorer {
 public:
  explicit Lengths(std::vector<Item>* asked) : asked_(asked) {}
  std::vector<double> score(std::span<const Item> items) override {
    asked_->assign(items.begin(), items.end());
    std::vector<double> values;
    for (const Item& item : items) {
      values.push_back(item.completion == "nan" ? std::numeric_limits<double>::quiet_NaN()
                                                : -static_cast<double>(item.completion.size()));
    }
    return values;
  }

 private:
  std::vector<Item>* asked_;
};

struct Fixture {
  std::vector<TextScorer::Item> asked;
  Services services;
  Fixture() {
    const auto make = [this](const std::string& model) -> std::unique_ptr<TextScorer> {
      if (model != "initial" && model != "judge") fail(ErrorKind::config, "no model {}", model);
      return std::make_unique<Lengths>(&asked);
    };
    services.likelihood = make;
    services.scorer = make;
  }
};

ModelScoreSpec judge_by(bool sigmoid, std::vector<double> from, std::vector<double> to) {
  ModelScoreSpec spec;
  spec.model = "judge";
  spec.sigmoid = sigmoid;
  spec.from = std::move(from);
  spec.to = std::move(to);
  return spec;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rewards: fluency and model_score keep the contract of rewards") {
  FluencySpec fluency;
  test::check_reward(fluency, services, {test::episode("good"), test::episode("better")});
  ModelScoreSpec model = judge_by(true, {0, 1}, {-1, 1});
  test::check_reward(model, services, {test::episode("good"), test::episode("better")});
}

TEST_CASE_FIXTURE(Fixture, "rewards: fluency is the scorer's mean log-likelihood of the last completion") {
  Episode talk = test::episode("one");
  talk.turns[0].reply = " reply ";
  talk.turns.push_back(test::episode("three").turns[0]);
  const std::vector<Episode> episodes{test::episode("four"), talk};
  const auto scores = FluencySpec().make(services)->score(episodes);
  CHECK(scores[0].value == -4.0);
  CHECK(scores[1].value == -5.0);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].prompt == "prompt");
  CHECK(asked[1].prompt == "promptone reply ");
  CHECK(asked[1].completion == "three");
}

TEST_CASE_FIXTURE(Fixture, "rewards: model_score shapes what the model said and keeps it as a part") {
  const Episode episode = test::episode("12");
  const auto score = [&](const ModelScoreSpec& spec) { return spec.make(services)->score(std::span(&episode, 1))[0]; };
  CHECK(score(judge_by(false, {}, {})).value == -2.0);
  CHECK(score(judge_by(true, {}, {})).value == doctest::Approx(1 / (1 + std::exp(2.0))));
  CHECK(score(judge_by(false, {-4, 0}, {0, 10})).value == 5.0);
  CHECK(score(judge_by(false, {-1, 0}, {0, 10})).value == 0.0);
  CHECK(score(judge_by(false, {-4, 0}, {10, 0})).value == 5.0);
  CHECK(score(judge_by(true, {}, {})).parts == std::vector<std::pair<std::string, double>>{{"raw", -2.0}});
}

TEST_CASE_FIXTURE(Fixture, "rewards: what the model cannot judge is the error of that episode alone") {
  Episode chat = test::episode("hello");
  chat.prompt.text.clear();
  chat.prompt.messages = {{"user", "hi"}};
  const std::vector<Episode> episodes{test::episode("nan"), chat, test::episode("four")};
  const auto scores = judge_by(false, {}, {}).make(services)->score(episodes);
  CHECK(scores[0].status == ScoreStatus::error);
  CHECK(scores[0].note == "the model judge returned nan");
  CHECK(scores[1].status == ScoreStatus::error);
  CHECK(scores[1].note.find("not as messages") != std::string::npos);
  CHECK(scores[2].value == -4.0);
}

TEST_CASE_FIXTURE(Fixture, "rewards: model_score refuses unknown models and half a scale") {
  ModelScoreSpec unknown;
  unknown.model = "nobody";
  HONE_CHECK_ERROR(config, unknown.make(services), "no model nobody");
  const auto problems = [](ModelScoreSpec spec) { return test::DeclaredFields::problems(spec); };
  CHECK(problems(judge_by(false, {0, 1}, {})).size() == 1);
  CHECK(problems(judge_by(false, {}, {0, 1})).size() == 1);
  CHECK(problems(judge_by(false, {1, 0}, {0, 1})).front().starts_with("from:"));
  CHECK(problems(judge_by(false, {0, 1}, {0, 1})).empty());
}

}  // namespace hone
