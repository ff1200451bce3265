#include "rewards/overlap.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/conformance/reward_conformance.h"

namespace hone {

namespace {

Score judge(OverlapSpec::Measure measure, const std::string& completion, Json answer) {
  OverlapSpec spec;
  spec.measure = measure;
  const Episode episode = test::episode(completion, test::answer(std::move(answer)));
  return spec.make({})->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: overlap keeps the contract of rewards") {
  OverlapSpec spec;
  const Episode good = test::episode("the cat sat", test::answer("the cat sat down"));
  test::check_reward(spec, {}, {good, test::episode("a dog", test::answer("the cat"))});
  test::check_missing_reference(spec, {}, good);
  spec.measure = OverlapSpec::Measure::bleu;
  test::check_reward(spec, {}, {good, test::episode("a dog", test::answer("the cat"))});
}

TEST_CASE("rewards: overlap takes the best of several references") {
  using enum OverlapSpec::Measure;
  const Json references = Json::Array{"a dog barks", "the cat sat"};
  for (const auto measure : {bleu, rouge1, rouge2, rouge_l}) {
    CHECK(judge(measure, "The cat sat", Json::Array{"a dog barks", "The cat sat"}).value == doctest::Approx(1.0));
    CHECK(judge(measure, "mice", references).value == 0.0);
    CHECK(judge(measure, "", references).value == 0.0);
    CHECK(judge(measure, "mice", "").value == 0.0);
    CHECK(judge(measure, "mice", Json::array()).status == ScoreStatus::error);
    CHECK(judge(measure, "mice", 5).status == ScoreStatus::error);
  }
  CHECK(judge(rouge1, "the cat", references).value == doctest::Approx(0.8));
  CHECK(judge(bleu, "the cat sat", references).value == doctest::Approx(1.0));  // three words: no 4-grams to miss
}

}  // namespace hone
