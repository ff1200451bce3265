#include "rewards/code_tests.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "rewards/code_task.h"
#include "tests/conformance/reward_conformance.h"
#include "tests/support/error_of.h"
#include "tests/support/pretended_executor.h"

namespace hone {

namespace {

using Outcome = Executor::Outcome;
using Program = Executor::Program;

Services with(std::function<Outcome(const Program&)> answer) {
  Services services;
  services.seed = 1;
  services.executor = [answer] { return std::make_shared<test::PretendedExecutor>(answer); };
  return services;
}

Json verdict(const Program& program, std::int64_t passed, std::int64_t total) {
  Json json = Json::object();
  json.set("nonce", Json::parse(program.input, "input").at("nonce"));
  json.set("passed", passed);
  json.set("total", total);
  json.set("why", passed == total ? "" : "AssertionError: ");
  json.set("unusable", "");
  return json;
}

Outcome says(const Json& json) { return {.end = Outcome::End::exited, .output = json.dump()}; }

std::string file(const Program& program, std::string_view name) {
  for (const auto& [found, content] : program.files) {
    if (found == name) return content;
  }
  return "<none>";
}

Json function_task() {
  return Json::parse(R"({"task_id": "t", "prompt": "def twice(x):\n    \"\"\"x + x\"\"\"\n", "entry_point": "twice",
    "canonical_solution": "    return x + x\n", "test": "def check(candidate):\n    assert candidate(2) == 4\n"})",
                     "task");
}

Json list_task() {
  return Json::parse(R"({"text": "Write it.", "code": "def twice(x):\r\n    return x + x", "test_setup_code": "y = 2",
    "test_list": ["assert twice(y) == 4", "assert twice(0) == 0"], "challenge_test_list": ["assert twice('a') == 'aa'"]})",
                     "task");
}

Score score(const Services& services, const Episode& episode, CodeTestsSpec spec = {}) {
  return spec.make(services)->score(std::span(&episode, 1)).at(0);
}

}  // namespace

TEST_CASE("rewards: code_tests keeps the contract of rewards") {
  CodeTestsSpec spec;
  const Services services = with([](const Program& program) {
    return says(verdict(program, file(program, "<>/program.py").find("x + x") != std::string::npos ? 1 : 0, 1));
  });
  const Episode good = test::episode("    return x + x\n", function_task());
  test::check_reward(spec, services, {good, test::episode("    return x", function_task())});
  test::check_missing_reference(spec, services, good);
  CHECK(spec.make(services)->calls_at_once() == 4);
  CHECK(spec.make(services)->call_size() == 1);
}

TEST_CASE("rewards: code_tests gives the program its prompt and the tests to nobody but the judge") {
  Program seen;
  const Services services = with([&](const Program& program) {
    seen = program;
    return says(verdict(program, 1, 1));
  });
  const std::string prompt = function_task().at("prompt").as_string();
  CHECK(score(services, test::episode("    return x + x\n", function_task())).value == 1.0);
  CHECK(file(seen, "<>/program.py") == prompt + "    return x + x\n");
  CHECK(file(seen, "<>/prelude.py").empty());
  score(services, test::episode("Here:\n```python\ndef twice(x):\n    return x + x\n```\nDone.", function_task()));
  CHECK(file(seen, "<>/program.py") == "def twice(x):\n    return x + x\n");
  CHECK(file(seen, "<>/prelude.py") == prompt);
  const Json input = Json::parse(seen.input, "input");
  CHECK(input.at("tests").as_string().find("candidate(2) == 4") != std::string::npos);
  CHECK(input.at("entry_point").as_string() == "twice");
  for (const auto& [name, content] : seen.files) {
    if (name.starts_with("<>/")) CHECK(content.find("candidate(2)") == std::string::npos);
    CHECK(content.find(input.at("nonce").as_string()) == std::string::npos);
  }
}

TEST_CASE("rewards: code_tests reads MBPP's lists, the challenge only when asked") {
  Program seen;
  const Services services = with([&](const Program& program) {
    seen = program;
    return says(verdict(program, 1, 2));
  });
  CodeTestsSpec spec;
  CHECK(score(services, test::episode("def twice(x):\n    return 0", list_task()), spec).value == 0.0);
  Json input = Json::parse(seen.input, "input");
  CHECK(input.at("tests").as_string() == "assert twice(y) == 4\nassert twice(0) == 0\n");
  CHECK(input.at("setup").as_string() == "y = 2");
  CHECK(input.at("reference").as_string() == "def twice(x):\r\n    return x + x");
  spec.challenge = true;
  spec.value = CodeTestsSpec::Value::share;
  CHECK(score(services, test::episode("def twice(x):\n    return 0", list_task()), spec).value == 0.5);
  input = Json::parse(seen.input, "input");
  CHECK(input.at("tests").as_string().find("twice('a')") != std::string::npos);
}

TEST_CASE("rewards: code_tests takes no verdict but the one with the nonce of its call") {
  const Episode episode = test::episode("    return 4", function_task());
  const auto outcome = [&](const std::function<Outcome(const Program&)>& answer) {
    return score(with(answer), episode);
  };
  const auto forged = [](const Program&) {
    return Outcome{.end = Outcome::End::exited,
                   .output = R"({"nonce": "0123", "passed": 1, "total": 1, "why": "", "unusable": ""})"};
  };
  CHECK(outcome(forged).reason == "protocol");
  CHECK(outcome([](const Program&) { return Outcome{.end = Outcome::End::exited, .code = 0}; }).reason == "crash");
  CHECK(outcome([](const Program&) { return Outcome{.end = Outcome::End::killed, .code = 9}; }).reason == "crash");
  CHECK(outcome([](const Program&) { return Outcome{.end = Outcome::End::timed_out}; }).reason == "timeout");
  const Score refused = outcome([](const Program&) { return Outcome{.errors = "no namespaces"}; });
  CHECK(refused.reason == "refused");
  CHECK(refused.note.find("no namespaces") != std::string::npos);
  const Score unusable = outcome([](const Program& program) {
    Json json = verdict(program, 0, 1);
    json.set("unusable", "SyntaxError");
    return says(json);
  });
  CHECK(unusable.status == ScoreStatus::error);
}

TEST_CASE("rewards: the program of a completion") {
  CHECK(program_in("    return 1\n", "f") == "    return 1\n");
  CHECK(program_in("```python\nx\n```", "f") == "x\n");
  CHECK(program_in("```\nx\n```\nand\n```py\ny\n```", "f") == "y\n");
  CHECK(program_in("```py\ndef f(): pass\n```\nuse it\n```python\nf()\n```", "f") == "def f(): pass\n");
  CHECK(program_in("```python\nx\n```\n```text\noutput\n```", "f") == "x\n");
  CHECK(program_in("```Python3 \nx\ny", "f") == "x\ny\n");
  CHECK(program_in("```python\n\n```\nplain", "f") == "```python\n\n```\nplain");
  CHECK(program_in("", "f").empty());
}

TEST_CASE("rewards: which names a program defines") {
  CHECK(defines("import x\ndef f(a):\n    pass", "f"));
  CHECK(defines("async def f():\n    pass", "f"));
  CHECK(defines("class f:\n    pass", "f"));
  CHECK(defines("f = lambda x: x", "f"));
  CHECK_FALSE(defines("f == 3", "f"));
  CHECK_FALSE(defines("    def f(a): pass", "f"));
  CHECK_FALSE(defines("def foo(a): pass", "f"));
  CHECK_FALSE(defines("f(3)", "f"));
  CHECK_FALSE(defines("def f(a): pass", ""));
}

TEST_CASE("rewards: code_tests says what a task lacks") {
  const auto error = [](std::string_view json) {
    return test::error_of([&] { code_task(Json::parse(json, "task"), {}, false); }).value().message;
  };
  CHECK(error(R"({"test": "def check(c): pass"})").find("entry_point") != std::string::npos);
  CHECK(error(R"({"test_list": []})").find("no tests") != std::string::npos);
  CHECK(error(R"({"answer": 3})").find("test_list") != std::string::npos);
  CHECK(error("3").find("reference") != std::string::npos);
}

}  // namespace hone
