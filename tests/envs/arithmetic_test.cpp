#include "envs/arithmetic.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "tests/conformance/environment_conformance.h"

namespace hone {

namespace {

using Problem = std::tuple<std::int64_t, char, std::int64_t>;

Problem parse(const std::string& text) {
  std::size_t end = 0;
  const std::int64_t left = std::stoll(text, &end);
  const char operation = text.at(end);
  std::size_t right_end = 0;
  const std::int64_t right = std::stoll(text.substr(end + 1), &right_end);
  REQUIRE(text.substr(end + 1 + right_end) == "=");
  return {left, operation, right};
}

std::int64_t solve(const Problem& problem) {
  const auto [left, operation, right] = problem;
  return operation == '+' ? left + right : operation == '-' ? left - right : left * right;
}

std::set<Problem> problems_of(const Environment& environment, Split split) {
  std::set<Problem> problems;
  for (std::uint64_t i = 0; i < environment.size(split); ++i) {
    const Prompt prompt = environment.prompt(split, i);
    const Problem problem = parse(prompt.text);
    CHECK(prompt.reference.at("answer").as_string() == std::to_string(solve(problem)));
    CHECK(environment.demonstration(prompt) == std::to_string(solve(problem)));
    problems.insert(problem);
  }
  CHECK(problems.size() == environment.size(split));
  return problems;
}

}  // namespace

TEST_CASE("envs: arithmetic keeps the contract of environments") {
  ArithmeticSpec sums;
  test::check_environment(sums, {.seed = 3});
  ArithmeticSpec all;
  all.operations = {"+", "-", "*"};
  all.max_digits = 3;
  test::check_environment(all, {.seed = 3});
  ArithmeticSpec long_numbers;
  long_numbers.operations = {"*", "-"};
  long_numbers.min_digits = long_numbers.max_digits = 9;
  test::check_environment(long_numbers, {.seed = 3});
}

TEST_CASE("envs: the default sums hold out 1,000 problems and train on all others but their mirror images") {
  const auto environment = ArithmeticSpec().make({.seed = 1});
  const auto train = problems_of(*environment, Split::train);
  const auto held_out = problems_of(*environment, Split::held_out);
  CHECK(held_out.size() == 1000);
  CHECK(train.size() == 8000);
  for (const auto& [left, operation, right] : held_out) {
    CHECK_FALSE(train.contains({left, operation, right}));
    CHECK_FALSE(train.contains({right, operation, left}));
  }
  std::set<Problem> covered = train;
  for (const auto& [left, operation, right] : held_out) {
    covered.insert({left, operation, right});
    covered.insert({right, operation, left});
  }
  CHECK(covered.size() == 10000);
}

TEST_CASE("envs: what arithmetic holds out does not depend on the seed, the order of training does") {
  const auto first = ArithmeticSpec().make({.seed = 1});
  const auto second = ArithmeticSpec().make({.seed = 2});
  int moved = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    CHECK(first->prompt(Split::held_out, i).text == second->prompt(Split::held_out, i).text);
    moved += first->prompt(Split::train, i).text != second->prompt(Split::train, i).text;
  }
  CHECK(moved > 990);
  CHECK(problems_of(*first, Split::train) == problems_of(*second, Split::train));
}

TEST_CASE("envs: the held-out problems are spread over the operands and both orders") {
  const auto environment = ArithmeticSpec().make({});
  std::map<std::int64_t, int> tens;
  int ascending = 0;
  for (const auto& [left, operation, right] : problems_of(*environment, Split::held_out)) {
    ++tens[left / 10];
    ascending += left < right;
  }
  REQUIRE(tens.size() == 10);
  for (const auto& [ten, count] : tens) {
    CHECK(count > 60);  // expected: 100 ± 10
    CHECK(count < 140);
  }
  CHECK(ascending > 420);  // expected: 500 ± 16
  CHECK(ascending < 580);
}

TEST_CASE("envs: operations share the held-out problems and the digits bound the operands") {
  ArithmeticSpec spec;
  spec.operations = {"-", "*", "+"};
  spec.min_digits = spec.max_digits = 2;
  spec.held_out = 100;
  const auto environment = spec.make({.seed = 5});
  std::map<char, int> counts;
  for (const auto& [left, operation, right] : problems_of(*environment, Split::held_out)) ++counts[operation];
  CHECK(counts == std::map<char, int>{{'-', 34}, {'*', 33}, {'+', 33}});
  const auto train = problems_of(*environment, Split::train);
  CHECK(train.size() == 3 * 8100 - 34 - 2 * 33 - 2 * 33);
  for (const auto& [left, operation, right] : train) {
    CHECK(std::min(left, right) >= 10);
    CHECK(std::max(left, right) <= 99);
  }
}

TEST_CASE("envs: arithmetic refuses configurations that make no sense") {
  const auto problems = [](const auto& change) {
    ArithmeticSpec spec;
    change(spec);
    const auto found = test::DeclaredFields::problems(spec);
    REQUIRE(found.size() == 1);
    return found[0];
  };
  CHECK(problems([](auto& s) { s.operations = {"/"}; }).starts_with("operations: expected one or more of"));
  CHECK(problems([](auto& s) { s.operations = {}; }).starts_with("operations:"));
  CHECK(problems([](auto& s) { s.operations = {"+", "+"}; }).starts_with("operations:"));
  CHECK(problems([](auto& s) { s.min_digits = 3; }) == "max_digits: must not be less than min_digits");
  CHECK(problems([](auto& s) { s.max_digits = 1; }) ==
        "held_out: holds out more than half of the problems; at most 22 for these operands");
  CHECK(problems([](auto& s) { s.held_out = 2476; }).ends_with("at most 2475 for these operands"));
}

}  // namespace hone
