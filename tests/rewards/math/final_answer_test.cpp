#include "rewards/math/final_answer.h"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <string>

namespace hone {

namespace {

using math::Place;

std::string answer(const std::string& text) {
  constexpr std::array places{Place::boxed, Place::hashes, Place::phrase, Place::number};
  return math::final_answer(text, places).value_or("nothing");
}

std::string at(Place place, const std::string& text) {
  return math::final_answer(text, std::array{place}).value_or("nothing");
}

}  // namespace

TEST_CASE("rewards: a box comes first, then ####, then a phrase, then the last number") {
  CHECK(answer("so \\boxed{\\frac{1}{2}} #### 3, the answer is 4, not 5") == "\\frac{1}{2}");
  CHECK(answer("first \\boxed{1}, then \\fbox{2}") == "2");
  CHECK(answer("first \\fbox{1}, then \\boxed{2}") == "2");
  CHECK(answer("3 + 4 = 7\n#### 7 apples\nthe answer is 9") == "7 apples");
  CHECK(answer("the answer is 4, not 5") == "4");
  CHECK(answer("3 and 4 make 7, or 3/4") == "3/4");
  CHECK(answer("no idea") == "nothing");
  CHECK(answer("cut off: \\boxed{12") == "12");
  CHECK(answer("####\n") == "nothing");
}

TEST_CASE("rewards: the phrase ends with its sentence, and prefers a formula") {
  CHECK(at(Place::phrase, "The final answer is $\\frac{3}{4}$. I hope it helps.") == "\\frac{3}{4}");
  CHECK(at(Place::phrase, "Answer: 3.5. Done.") == "3.5");
  CHECK(at(Place::phrase, "**Answer:** 42") == "42");
  CHECK(at(Place::phrase, "The answer is 1.\nThe answer is:\n\\[ x = 2 \\]") == " x = 2 ");
  CHECK(at(Place::phrase, "the answer to this question is \\(x\\)") == "x");
  CHECK(at(Place::phrase, "The answer is surely between 10 and 12") == "10");
  CHECK(at(Place::phrase, "The answer is (1, 2]") == "(1, 2]");
  CHECK(at(Place::phrase, "The answer is yes. It costs $5 or $6.") == "yes");
  CHECK(at(Place::phrase, "Answer: $\\$187.12$") == "\\$187.12");
  CHECK(at(Place::phrase, "the answer is a^{n-1}(a + bn).") == "a^{n-1}(a + bn)");
  CHECK(at(Place::phrase, "Answer: \\sum_{i=1}^n X_i") == "\\sum_{i=1}^n X_i");
  CHECK(at(Place::phrase, "**The answer is v^***") == "v^*");
  CHECK(at(Place::phrase, "the answer is 5 apples, as said") == "5");
  CHECK(at(Place::phrase, "my answers vary") == "nothing");
  CHECK(at(Place::phrase, "the answer is") == "nothing");
}

TEST_CASE("rewards: the other places") {
  CHECK(at(Place::whole, "  x + 1\n") == "x + 1");
  CHECK(at(Place::whole, "vv^*") == "vv^*");
  CHECK(at(Place::hashes, "#### 1\n#### 2\n") == "2");
  CHECK(at(Place::number, "1,234 or -5") == "-5");
  CHECK_FALSE(math::final_answer("5", {}).has_value());
}

}  // namespace hone
