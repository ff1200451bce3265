#include "envs/python_tool.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/environment_conformance.h"
#include "tests/support/error_of.h"
#include "tests/support/pretended_executor.h"

namespace hone {

namespace {

using Outcome = Executor::Outcome;
using Program = Executor::Program;

class Questions : public PromptSource {
 public:
  std::uint64_t size(Split split) const override { return split == Split::train ? 5 : 2; }
  Prompt prompt(Split split, std::uint64_t index) const override {
    const std::string row = (split == Split::train ? "train " : "held out ") + std::to_string(index);
    return {.id = prompt_id(split, index), .split = split, .text = row, .reference = test::answer(row)};
  }
  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    return "answer: " + prompt.reference.at("answer").as_string();
  }
};

Services with(std::function<Outcome(const Program&)> answer) {
  Services services;
  services.prompts = [](const std::string& name) -> std::unique_ptr<PromptSource> {
    if (name != "questions") fail(ErrorKind::config, "no data {}", name);
    return std::make_unique<Questions>();
  };
  services.executor = [answer = std::move(answer)] { return std::make_shared<test::PretendedExecutor>(answer); };
  return services;
}

/// Repeats the code that it was given.
Outcome echo(const Program& program) {
  return {.end = Outcome::End::exited, .output = "ran: " + program.files.at(0).second};
}

PythonToolSpec spec() {
  PythonToolSpec made;
  made.data = "questions";
  return made;
}

std::string reply(const std::string& completion, std::function<Outcome(const Program&)> answer = echo) {
  const auto environment = spec().make(with(std::move(answer)));
  const Environment::Step step = environment->step(test::episode(completion));
  CHECK(step.done == step.reply.empty());
  return step.reply;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("envs: python_tool keeps the contract of environments") {
  PythonToolSpec made = spec();
  test::check_environment(made, with(echo), {.most_turns = 5});
}

TEST_CASE("envs: python_tool runs what a turn asks for") {
  CHECK(reply("Let me see.\n```python\nprint(1)\n```\n") == "\n<tool_response>\nran: print(1)\n</tool_response>\n");
  CHECK(has(reply("```py\nprint(1)"), "ran: print(1)"));
  CHECK(has(reply("```python\nfirst\n```\n```python\nsecond\n```"), "ran: second"));
  CHECK(
      has(reply(R"x(<tool_call>{"name": "python", "arguments": {"code": "print(2)"}}</tool_call>)x"), "ran: print(2)"));
}

TEST_CASE("envs: python_tool ends with an answer, or when nothing is asked") {
  CHECK(reply("I think it is 3.").empty());
  CHECK(reply("answer: 3").empty());
  CHECK(reply("So:\n  Answer: 3\n").empty());
  CHECK(reply("```python\nprint(1)\n```\nanswer: 1").empty());
  CHECK(reply("```text\nanswer\n```").empty());
  CHECK_FALSE(reply("the answer: so far\n```python\nprint(1)\n```").empty());
}

TEST_CASE("envs: python_tool says what is wrong with a call") {
  CHECK(has(reply("<tool_call>{\"name\": \"shell\", \"arguments\": {}}</tool_call>"),
            "error: there is no tool \"shell\""));
  CHECK(has(reply("<tool_call>{\"name\": \"python\", \"arguments\": {}}</tool_call>"), "needs the argument \"code\""));
  CHECK(has(reply("<tool_call>{\"name\": </tool_call>"), "error: "));
  CHECK(has(reply("```python\n\n```"), "error: the block of code is empty"));
}

TEST_CASE("envs: python_tool tells how a program ended, and never runs one outside the sandbox") {
  const std::string code = "```python\nx\n```";
  const auto told = [&](Outcome outcome) { return reply(code, [outcome](const Program&) { return outcome; }); };
  CHECK(has(told({.end = Outcome::End::exited}), "(no output)"));
  CHECK(has(told({.end = Outcome::End::exited, .code = 1, .output = "one", .errors = "Traceback\nNameError: x\n"}),
            "one\nTraceback\nNameError: x\n</tool_response>"));
  CHECK(has(told({.end = Outcome::End::timed_out, .output = "half\n"}), "half\nerror: stopped after 5 s"));
  CHECK(has(told({.end = Outcome::End::killed, .code = 9}), "error: ended by signal 9"));
  const std::string cut = told({.end = Outcome::End::exited, .output = std::string(8000, 'x')});
  CHECK(cut.size() < 2200);
  CHECK(has(told({.end = Outcome::End::exited, .output = std::string(8000, 'x'), .errors = "the end"}), "the end"));
  const auto error = test::error_of([&] { told({.errors = "no namespaces"}); });
  REQUIRE(error.has_value());
  CHECK(error->kind == ErrorKind::service);
  CHECK(error->has("no namespaces"));
}

TEST_CASE("envs: python_tool answers several episodes in order, and stops at its turns") {
  PythonToolSpec made = spec();
  made.turns = 2;
  const auto environment = made.make(with(echo));
  std::vector<Episode> episodes;
  for (const char* text : {"```python\na\n```", "none", "```python\nb\n```"}) episodes.push_back(test::episode(text));
  episodes.push_back(episodes[0]);
  episodes[3].turns.push_back(episodes[0].turns[0]);
  std::vector<const Episode*> waiting;
  for (const Episode& episode : episodes) waiting.push_back(&episode);
  const auto steps = environment->steps(waiting);
  REQUIRE(steps.size() == 4);
  CHECK(has(steps[0].reply, "ran: a"));
  CHECK(steps[1].done);
  CHECK(has(steps[2].reply, "ran: b"));
  CHECK(steps[3].done);
}

}  // namespace hone
