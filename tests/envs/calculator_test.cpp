#include "envs/calculator.h"

#include <doctest/doctest.h>

#include <string>

#include "envs/expression.h"
#include "tests/conformance/environment_conformance.h"

namespace hone {

namespace {

std::string call(const std::string& expression) {
  return "<tool_call>{\"name\": \"calculate\", \"arguments\": {\"expression\": \"" + expression + "\"}}</tool_call>";
}

Episode begun(const Environment& environment, const std::string& completion) {
  Episode episode = test::episode(completion);
  episode.prompt = environment.prompt(Split::train, 0);
  return episode;
}

}  // namespace

TEST_CASE("envs: calculator keeps the contract of environments") {
  CalculatorSpec spec;
  test::check_environment(spec, {.seed = 3}, {.most_turns = 4});
  spec.problems = {"numbers"};
  spec.digits = 1;
  spec.instructions = false;
  test::check_environment(spec, {.seed = 3}, {.most_turns = 4});
}

TEST_CASE("envs: the calculator's own demonstration leads to the right answer") {
  const auto environment = CalculatorSpec().make({.seed = 1});
  for (std::uint64_t i = 0; i < 200; ++i) {
    Episode episode;
    episode.prompt = environment->prompt(Split::held_out, i);
    episode.turns.push_back(test::episode(*environment->demonstration(episode.prompt)).turns[0]);
    Environment::Step step = environment->step(episode);
    CHECK_FALSE(step.done);
    CHECK(step.reward == 0.0);
    const std::string& answer = episode.prompt.reference.at("answer").as_string();
    CHECK(step.reply == "\n<tool_response>\n" + answer + "\n</tool_response>\n");
    episode.turns.push_back(test::episode("The answer is " + answer + ".").turns[0]);
    step = environment->step(episode);
    CHECK(step.done);
    CHECK(step.reward == 1.0);
  }
}

TEST_CASE("envs: which problems the calculator holds out does not depend on the seed") {
  const auto first = CalculatorSpec().make({.seed = 1});
  const auto second = CalculatorSpec().make({.seed = 2});
  int moved = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    CHECK(first->prompt(Split::held_out, i).text == second->prompt(Split::held_out, i).text);
    moved += first->prompt(Split::train, i).text != second->prompt(Split::train, i).text;
  }
  CHECK(moved == 300);
}

TEST_CASE("envs: failed calls come back to the policy and cost something") {
  CalculatorSpec spec;
  const auto environment = spec.make({.seed = 1});
  const std::pair<std::string, std::string> failing[] = {
      {call("1/0"), "error: division by zero"},
      {call("2*(3"), "error: a bracket is not closed"},
      {call(""), "error: a number is missing at the end"},
      {call("import os"), "error: expected a number at character 1, got 'i'"},
      {"<tool_call>2+3</tool_call>", "error: tool call"},
      {"<tool_call>{\"name\": \"search\"}</tool_call>", "error: there is no tool \"search\"; there is \"calculate\""},
      {"<tool_call>{\"name\": \"calculate\"}</tool_call>", "error: calculate needs the argument \"expression\""},
      {call("1+1") + call("2+2"), "\n2\n</tool_response>\n\n<tool_response>\nerror: at most 1 tool call a turn"},
  };
  for (const auto& [completion, reply] : failing) {
    CAPTURE(completion);
    const Environment::Step step = environment->step(begun(*environment, completion));
    CHECK_FALSE(step.done);
    CHECK(step.reply.find(reply) != std::string::npos);
    CHECK(step.reward == -0.1);
  }
}

TEST_CASE("envs: a turn without a call is the answer, and the turns are limited") {
  const auto environment = CalculatorSpec().make({.seed = 1});
  Episode episode = begun(*environment, "no number");
  CHECK(environment->step(episode).done);
  CHECK(environment->step(episode).reward == 0.0);
  const std::string& answer = episode.prompt.reference.at("answer").as_string();
  for (const std::string& right : {answer, "so " + answer + "!", answer + ".0", "1 + 1 = " + answer + "."}) {
    episode.turns[0].completion.text = right;
    CHECK(environment->step(episode).reward == 1.0);
  }
  episode.turns[0].completion.text = answer + " or 3";
  CHECK(environment->step(episode).reward == 0.0);
  episode.turns[0].completion.text = call("1+1");
  episode.turns.resize(4, episode.turns[0]);
  CHECK(environment->step(episode).done);
}

TEST_CASE("envs: arithmetic expressions") {
  const std::pair<const char*, double> values[] = {{"2*(3+4)", 14}, {"2 + 3 * 4", 14}, {"10-4-3", 3},
                                                   {"-3*-2", 6},    {"7/2", 3.5},      {"1.5 × 4 ÷ 3", 2},
                                                   {"((1))", 1},    {"8/4/2", 1},      {"−5 + +2", -3}};
  for (const auto& [text, value] : values) {
    CAPTURE(text);
    CHECK(calculate(text).value == value);
  }
  for (const char* text :
       {"", " ", "1+", "(1", "1)", "1 2", "2**3", "x", "1e5x", "inf", "nan", "1/0", "1/(2-2)", "0x10", "1,000"}) {
    CAPTURE(text);
    CHECK_FALSE(calculate(text).value.has_value());
    CHECK_FALSE(calculate(text).error.empty());
  }
  CHECK_FALSE(calculate(std::string(300, '(')).value.has_value());
  CHECK_FALSE(calculate(std::string(401, '1')).value.has_value());
  CHECK(number_text(3) == "3");
  CHECK(number_text(-2.5) == "-2.5");
  CHECK(number_text(1.0 / 3) == "0.333333333333");
  CHECK(number_text(1e20) == "1e+20");
}

TEST_CASE("envs: calculator refuses configurations that make no sense") {
  CalculatorSpec spec;
  spec.problems = {"riddles"};
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("problems: expected"));
  spec.problems = {"numbers"};
  spec.digits = 1;
  spec.held_out = 1025;
  CHECK(test::DeclaredFields::problems(spec).front().starts_with("held_out: holds out more than half"));
  spec.held_out = 1024;
  CHECK(test::DeclaredFields::problems(spec).empty());
}

}  // namespace hone
