#include "rewards/process_score.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/reward_conformance.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

/// A step is right by as many tenths as it has bytes; remembers what it was asked. "far" lies beyond the context.
class Tenths : public StepScorer {
 public:
  explicit Tenths(std::vector<Item>* asked) : asked_(asked) {}
  std::vector<std::vector<double>> score(std::span<const Item> items) override {
    asked_->assign(items.begin(), items.end());
    std::vector<std::vector<double>> scores;
    for (const Item& item : items) {
      std::vector<double>& of_item = scores.emplace_back();
      for (const std::string& step : item.steps) {
        of_item.push_back(step == "far" ? std::numeric_limits<double>::quiet_NaN() : 0.1 * static_cast<double>(step.size()));
      }
    }
    return scores;
  }

 private:
  std::vector<Item>* asked_;
};

struct Fixture {
  std::vector<StepScorer::Item> asked;
  std::string separator;
  Services services;
  Fixture() {
    services.step_scorer = [this](const std::string& model, const std::string& its_separator) {
      if (model != "verifier") fail(ErrorKind::config, "no model {}", model);
      separator = its_separator;
      return std::make_unique<Tenths>(&asked);
    };
    services.pieces = [](std::span<const std::int32_t> ids) {
      std::vector<std::string> pieces;
      for (const std::int32_t id : ids) pieces.emplace_back(id > 255 ? "" : std::string(1, static_cast<char>(id)));
      return pieces;
    };
  }
  Score score(const Episode& episode, ProcessScoreSpec spec = {}) {
    spec.model = "verifier";
    return spec.make(services)->score(std::span(&episode, 1))[0];
  }
};

ProcessScoreSpec by(StepCredit credit) {
  ProcessScoreSpec spec;
  spec.credit = credit;
  return spec;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "rewards: process_score keeps the contract of rewards") {
  ProcessScoreSpec spec;
  spec.model = "verifier";
  test::check_reward(spec, services, {test::episode("one\ntwo"), test::episode("")});
}

TEST_CASE("rewards: steps end with their separator, the last one with the completion") {
  const auto ends = [](const std::vector<std::string>& pieces, std::string_view separator) {
    std::vector<std::pair<std::string, std::int64_t>> found;
    for (const CompletionStep& step : steps_of(pieces, separator)) found.emplace_back(step.text, step.end_token);
    return found;
  };
  using Steps = std::vector<std::pair<std::string, std::int64_t>>;
  CHECK(ends({"a", "b\n", "c", ""}, "\n") == Steps{{"ab", 2}, {"c", 4}});
  CHECK(ends({"ab\ncd\ne", "f"}, "\n") == Steps{{"ab", 1}, {"cd", 1}, {"ef", 2}});  // tokens that end several steps
  CHECK(ends({"a", "\n", "\n", "b", "\n", ""}, "\n") == Steps{{"a", 2}, {"b", 6}});
  CHECK(ends({"a", "\n", "\n", "b"}, "\n\n") == Steps{{"a", 3}, {"b", 4}});
  CHECK(ends({" ", "\n", ""}, "\n").empty());
  CHECK(ends({}, "\n").empty());
  CHECK(ends({"\xC3", "\xA4", "\n", "\xC3"}, "\n") == Steps{{"ä", 3}, {"\uFFFD", 4}});
}

TEST_CASE_FIXTURE(Fixture, "rewards: process_score rewards each step where it ends") {
  const Score score = this->score(test::episode("12345\n12\n123"));
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].prompt == "prompt");
  CHECK(asked[0].steps == std::vector<std::string>{"12345", "12", "123"});
  CHECK(separator == "\n");
  REQUIRE(score.spans.size() == 2);
  CHECK(score.spans[0].turn == 0);
  CHECK(score.spans[0].end_token == 6);
  CHECK(score.spans[0].value == doctest::Approx(0.5));
  CHECK(score.spans[1].end_token == 9);
  CHECK(score.spans[1].value == doctest::Approx(0.2));
  CHECK(score.value == doctest::Approx(0.3));
  CHECK(score.parts.at(0).second == doctest::Approx(1.0 / 3));
  CHECK(score.parts.at(1).second == doctest::Approx(0.2));
  CHECK(score.parts.at(2) == std::pair<std::string, double>("steps", 3));
}

TEST_CASE_FIXTURE(Fixture, "rewards: process_score makes one number of the steps when that is asked for") {
  const Episode episode = test::episode("12345\n12\n123");
  CHECK(score(episode, by(StepCredit::min)).value == doctest::Approx(0.2));
  CHECK(score(episode, by(StepCredit::product)).value == doctest::Approx(0.5 * 0.2 * 0.3));
  CHECK(score(episode, by(StepCredit::mean)).value == doctest::Approx(1.0 / 3));
  CHECK(score(episode, by(StepCredit::last)).value == doctest::Approx(0.3));
  CHECK(score(episode, by(StepCredit::last)).spans.empty());
  ProcessScoreSpec both = by(StepCredit::last);
  both.to = {-1, 1};
  CHECK(score(episode, std::move(both)).value == doctest::Approx(-0.4));
}

TEST_CASE_FIXTURE(Fixture, "rewards: process_score judges the last of several turns in the light of the others") {
  Episode talk = test::episode("a\nb");
  talk.turns[0].reply = "!";
  talk.turns.push_back(test::episode("12\n1").turns[0]);
  const Score score = this->score(talk);
  CHECK(asked.at(0).prompt == "prompta\nb!");
  CHECK(score.spans.at(0).turn == 1);
  CHECK(score.spans.at(0).end_token == 3);
}

TEST_CASE_FIXTURE(Fixture, "rewards: what process_score cannot judge is an error, no step is worth nothing") {
  CHECK(score(test::episode("a\nfar")).status == ScoreStatus::error);
  CHECK(score(test::episode("a\nfar")).note.find("step 2 of 2") != std::string::npos);
  const Score blank = score(test::episode(" \n"));
  CHECK(blank.status == ScoreStatus::ok);
  CHECK(blank.value == 0);
  ProcessScoreSpec unknown;
  unknown.model = "nobody";
  HONE_CHECK_ERROR(config, unknown.make(services), "no model nobody");
  ProcessScoreSpec reversed;
  reversed.to = {1, 0};
  CHECK(test::DeclaredFields::problems(reversed).size() == 1);
}

}  // namespace hone
