#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("rewards: of a model with several scores each is a part, and their weighted sum the value") {
  /// Bytes and spaces of the completion.
  struct Two : TextScorer {
    std::vector<std::string> names() const override { return {"bytes", "spaces"}; }
    std::vector<double> score(std::span<const Item> items) override {
      std::vector<double> values;
      for (const Item& item : items) {
        values.push_back(static_cast<double>(item.completion.size()));
        values.push_back(static_cast<double>(std::ranges::count(item.completion, ' ')));
      }
      return values;
    }
  };
  Services services;
  services.scorer = [](const std::string&) { return std::make_unique<Two>(); };
  const std::vector<Episode> episodes{test::episode("a b"), test::episode("a b c")};
  ModelScoreSpec spec = judge_by(false, {}, {});
  const auto mean = spec.make(services)->score(episodes);
  CHECK(mean[0].value == 2);
  CHECK(mean[1].value == 3.5);
  using Parts = std::vector<std::pair<std::string, double>>;
  CHECK(mean[1].parts == Parts{{"bytes", 5}, {"spaces", 2}, {"raw", 3.5}});
  spec.weights = {{"spaces", -2}};
  CHECK(spec.make(services)->score(episodes)[1].value == -4);
  spec.weights = {{"lines", 1}};
  HONE_CHECK_ERROR(config, spec.make(services), "weights.lines", "bytes, spaces");
}

TEST_CASE_FIXTURE(Fixture, "rewards: what the model cannot judge is the error of that episode alone") {
  const std::vector<Episode> episodes{test::episode("nan"), test::episode("four")};
  const auto scores = judge_by(false, {}, {}).make(services)->score(episodes);
  CHECK(scores[0].status == ScoreStatus::error);
  CHECK(scores[0].note == "the model judge returned nan");
  CHECK(scores[1].value == -4.0);
}

TEST_CASE_FIXTURE(Fixture, "rewards: a prompt of messages is judged as a conversation that the last answer ends") {
  Episode chat = test::episode("hello");
  chat.prompt.text.clear();
  chat.prompt.messages = {{"system", "be brief"}, {"user", "hi"}};
  chat.prompt.tools = Json::Array{Json("a tool")};
  Episode talk = chat;
  talk.turns.insert(talk.turns.begin(), Turn{.completion = {.text = "what?"}, .reply = "greet me"});
  const std::vector<Episode> episodes{chat, talk};
  const auto scores = judge_by(false, {}, {}).make(services)->score(episodes);
  CHECK(scores[0].value == -5.0);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].prompt.empty());
  CHECK(asked[0].completion == "hello");
  CHECK(asked[0].tools.as_array().size() == 1);
  REQUIRE(asked[0].messages.size() == 2);
  REQUIRE(asked[1].messages.size() == 4);
  CHECK(asked[1].messages[1].content == "hi");
  CHECK(asked[1].messages[2].role == "assistant");
  CHECK(asked[1].messages[2].content == "what?");
  CHECK(asked[1].messages[3].role == "user");
  CHECK(asked[1].messages[3].content == "greet me");
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
