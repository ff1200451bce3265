#include "plugin/sandbox/sandbox.h"

#include <doctest/doctest.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "envs/python_tool.h"
#include "io/file.h"
#include "plugin/sandbox/messages.h"
#include "rewards/code_tests.h"
#include "tests/support/declared_fields.h"
#include "tests/support/episodes.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

using Outcome = Executor::Outcome;
using Program = Executor::Program;
using End = Outcome::End;

/// One launcher for all cases, or nothing: where HONE_PLUGIN_HOST is not set, or this machine cannot isolate programs.
std::shared_ptr<Executor> this_sandbox() {
  static const std::shared_ptr<Executor> made = []() -> std::shared_ptr<Executor> {
    const char* host = std::getenv("HONE_PLUGIN_HOST");
    if (host == nullptr || ::access("/usr/bin/python3", X_OK) != 0) return nullptr;
    try {
      return make_sandbox({}, host);
    } catch (const Error& error) {
      MESSAGE(error.what());
      return nullptr;
    }
  }();
  return made;
}

#define HONE_NEEDS_SANDBOX(name)                                                                   \
  const std::shared_ptr<Executor> name = this_sandbox();                                              \
  if (name == nullptr) {                                                                           \
    MESSAGE("skipped: no HONE_PLUGIN_HOST, no /usr/bin/python3, or no isolation on this machine"); \
    return;                                                                                        \
  }

Program python(const std::string& code) {
  return {.command = {"/usr/bin/python3", "-B", "main.py"}, .files = {{"main.py", code}}, .seconds = 10};
}

std::vector<Json> tasks(const std::string& file) {
  std::vector<Json> rows;
  std::ifstream in(std::filesystem::path(__FILE__).parent_path().parent_path() / "rewards/code_tasks" / file);
  for (std::string line; std::getline(in, line);) rows.push_back(Json::parse(line, file));
  REQUIRE(rows.size() >= 10);
  return rows;
}

/// What code_tests says of each completion, from `workers` threads.
std::vector<Score> scores(const std::shared_ptr<Executor>& executor, CodeTestsSpec spec,
                          const std::vector<Episode>& episodes) {
  Services services;
  services.seed = 7;
  services.executor = [&] { return executor; };
  const auto reward = spec.make(services);
  std::vector<Score> found(episodes.size());
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < 3; ++first) {
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < episodes.size(); i += 3) {
        found[i] = reward->score(std::span(&episodes[i], 1)).at(0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return found;
}

CodeTestsSpec within(double seconds) {
  CodeTestsSpec spec;
  spec.seconds.count = seconds;
  return spec;
}

}  // namespace

TEST_CASE("plugin: programs and outcomes survive the way to the launcher") {
  const Program program{.command = {"a", "", "b c"},
                        .files = {{"x", std::string("\0\xff", 2)}, {"y", ""}},
                        .input = "in",
                        .seconds = 1.5,
                        .memory_bytes = 3,
                        .output_bytes = 4};
  const Program back = sandbox::unpack_program(sandbox::pack(program));
  CHECK(back.command == program.command);
  CHECK(back.files == program.files);
  CHECK(back.input == "in");
  CHECK(back.seconds == 1.5);
  CHECK(back.memory_bytes == 3);
  CHECK(back.output_bytes == 4);
  const Outcome outcome = sandbox::unpack_outcome(
      sandbox::pack(Outcome{.end = End::killed, .code = 9, .output = "o", .errors = "e", .seconds = 0.5}));
  CHECK((outcome.end == End::killed && outcome.code == 9 && outcome.output == "o" && outcome.errors == "e"));
  const auto cut = [&] { sandbox::unpack_program(sandbox::pack(program).substr(0, 40)); };
  CHECK(test::error_of(cut).has_value());
}

TEST_CASE("plugin: the sandbox's configuration is declared, and knows the properties") {
  struct Spec : Component {
    SandboxConfig config;
    void describe(Fields& f) override { config.describe(f); }
  } spec;
  CHECK(test::DeclaredFields::problems(spec) == std::vector<std::string>{});
}

TEST_CASE("plugin: a launcher that is not there, or cannot isolate, is an error that says so") {
  const auto absent = test::error_of([] { make_sandbox({}, "/nothing/hone-plugin-host"); });
  REQUIRE(absent.has_value());
  CHECK(absent->kind == ErrorKind::service);
  CHECK(absent->has("/nothing/hone-plugin-host"));
  const auto other = test::error_of([] { make_sandbox({}, "/bin/true"); });
  REQUIRE(other.has_value());
  CHECK(other->kind == ErrorKind::service);
}

TEST_CASE("plugin: a program runs in its own empty folder and says how it ended") {
  HONE_NEEDS_SANDBOX(executor);
  CHECK(executor->layers().find("seccomp") != std::string::npos);
  Program program = python(
      "import sys, os\nprint(sys.stdin.read(), sorted(os.listdir('.')))\n"
      "print('e', file=sys.stderr)\nsys.exit(3)\n");
  program.input = std::string(300000, 'i');
  program.files.emplace_back("deep/er/data", "x");
  Outcome outcome = executor->run(program);
  CHECK(outcome.end == End::exited);
  CHECK(outcome.code == 3);
  CHECK(outcome.output == program.input + " ['.tmp', 'deep', 'main.py']\n");
  CHECK(outcome.errors == "e\n");
  program = python("import os, signal\nos.kill(os.getpid(), signal.SIGUSR1)");
  outcome = executor->run(program);
  CHECK((outcome.end == End::killed && outcome.code == 10));
  program = python("print('x' * 1000)");
  program.output_bytes = 10;
  CHECK(executor->run(program).output == "xxxxxxxxxx");
  program = python("print(1, flush=True)\nwhile True: pass");
  program.seconds = 0.5;
  outcome = executor->run(program);
  CHECK(outcome.end == End::timed_out);
  CHECK(outcome.output == "1\n");
}

TEST_CASE("plugin: what cannot run is refused, never taken for a program that failed") {
  HONE_NEEDS_SANDBOX(executor);
  Outcome outcome = executor->run({.command = {"no-such-program"}});
  CHECK(outcome.end == End::refused);
  CHECK(outcome.errors.find("no-such-program") != std::string::npos);
  CHECK(executor->run({}).end == End::refused);
  for (const char* name : {"/absolute", "../above", "a/../../b", ""}) {
    outcome = executor->run({.command = {"/bin/true"}, .files = {{name, "x"}}});
    CHECK_MESSAGE(outcome.end == End::refused, name);
  }
}

TEST_CASE("plugin: two programs in two sandboxes share a stream and nothing else") {
  HONE_NEEDS_SANDBOX(executor);
  const std::string second(second_program);
  const std::string first_code =
      "import socket, os\ns = socket.socket(fileno=3)\ns.sendall(b'hello')\nprint(s.recv(100).decode())\n"
      "print(sorted(os.listdir('.')), os.getppid())\n";
  const std::string second_code =
      "import socket, os\ns = socket.socket(fileno=3)\ns.recv(5)\n"
      "s.sendall((str(sorted(os.listdir('.'))) + str(os.getppid())).encode())\nwhile True: pass\n";
  const Outcome outcome =
      executor->run({.command = {"/usr/bin/python3", "-B", "first.py", second, "/usr/bin/python3", "-B", "second.py"},
                     .files = {{"first.py", first_code}, {"secret", "x"}, {second + "/second.py", second_code}}});
  CHECK(outcome.end == End::exited);
  CHECK(outcome.output == "['.tmp', 'second.py']1\n['.tmp', 'first.py', 'secret'] 1\n");
  CHECK(outcome.seconds < 5);
  const Outcome refused = executor->run({.command = {"/bin/sleep", "0.2", second, "no-such-program"}});
  CHECK(refused.end == End::refused);
}

TEST_CASE("plugin: many threads run programs at once, and each gets its own outcome") {
  HONE_NEEDS_SANDBOX(executor);
  std::vector<std::thread> threads;
  std::vector<std::string> outputs(12);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&, i] { outputs[i] = executor->run({.command = {"/bin/echo", std::to_string(i)}}).output; });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < outputs.size(); ++i) CHECK(outputs[i] == std::to_string(i) + "\n");
}

TEST_CASE("plugin: canonical solutions pass, mutated ones fail") {
  HONE_NEEDS_SANDBOX(executor);
  std::vector<Episode> right, wrong;
  for (const char* file : {"human_eval.jsonl", "mbpp.jsonl"}) {
    for (const Json& task : tasks(file)) {
      const bool lists = task.find("code") != nullptr;
      right.push_back(test::episode(task.at(lists ? "code" : "canonical_solution").as_string(), task));
      for (const Json& mutant : task.at("mutants").as_array()) wrong.push_back(test::episode(mutant.as_string(), task));
    }
  }
  CodeTestsSpec spec = within(10);
  spec.challenge = true;
  const std::vector<Score> passed = scores(executor, spec, right), failed = scores(executor, spec, wrong);
  for (std::size_t i = 0; i < right.size(); ++i) {
    CHECK_MESSAGE((passed[i].status == ScoreStatus::ok && passed[i].value == 1.0), right[i].completion_text(),
                  passed[i].note);
  }
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    CHECK_MESSAGE((failed[i].status == ScoreStatus::ok && failed[i].value == 0.0), wrong[i].completion_text(),
                  failed[i].note);
  }
}

TEST_CASE("plugin: code_tests gives a share of the asserts, and an error for tests that cannot be used") {
  HONE_NEEDS_SANDBOX(executor);
  CodeTestsSpec spec = within(10);
  spec.value = CodeTestsSpec::Value::share;
  const Json four = Json::parse(R"({"test_list": ["assert f(1) == 1", "assert f(2) == 4", "assert f(3) == 9",
    "assert f(0) == 0"]})",
                                "task");
  const Json broken = Json::parse(R"({"test_list": ["assert f(1) =="]})", "task");
  const Json empty = Json::parse(R"({"test_list": ["assert True"]})", "task");
  const std::vector<Score> found =
      scores(executor, spec,
             {test::episode("def f(x): return x", four), test::episode("def f(x): return x * x", four),
              test::episode("def f(x): return 1 / 0", four), test::episode("def f(x", four),
              test::episode("def f(x): return 1", broken), test::episode("def f(x): return 1", empty),
              test::episode("import os\ndef f(x):\n    if x == 3: os._exit(0)\n    return x * x", four)});
  CHECK(found[0].value == 0.5);
  CHECK(found[1].value == 1.0);
  CHECK(found[2].value == 0.0);
  CHECK(found[2].note.find("ZeroDivisionError") != std::string::npos);
  CHECK(found[3].value == 0.0);
  CHECK(found[3].note.find("SyntaxError") != std::string::npos);
  CHECK(found[4].status == ScoreStatus::error);
  CHECK(found[5].status == ScoreStatus::error);
  CHECK(found[6].value == 0.5);
}

TEST_CASE("plugin: python_tool talks to a real interpreter") {
  HONE_NEEDS_SANDBOX(executor);
  struct None : PromptSource {
    std::uint64_t size(Split) const override { return 1; }
    Prompt prompt(Split, std::uint64_t) const override { return {}; }
    std::optional<std::string> demonstration(const Prompt&) const override { return std::nullopt; }
  };
  Services services;
  services.prompts = [](const std::string&) { return std::make_unique<None>(); };
  services.executor = [&] { return executor; };
  PythonToolSpec spec;
  spec.seconds.count = 2;
  const auto environment = spec.make(services);
  CHECK(environment->step(test::episode("```python\nprint(2**100 % 97)\n```")).reply ==
        "\n<tool_response>\n16\n</tool_response>\n");
  CHECK(environment->step(test::episode("```python\n1 / 0\n```")).reply.find("ZeroDivisionError: division by zero") !=
        std::string::npos);
  CHECK(environment->step(test::episode("```python\nwhile True: pass\n```")).reply.find("stopped after 2 s") !=
        std::string::npos);
}

}  // namespace hone
