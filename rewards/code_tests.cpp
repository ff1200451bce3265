#include "rewards/code_tests.h"

#include <random>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "rewards/code_task.h"
#include "rewards/code_tests_python.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

/// Joins two commands of one Executor::Program; as the beginning of a file's name it means the second.
constexpr std::string_view second_program = "<>";

/// Comes back with the verdict. Not a random number of the run: nobody may foresee it.
std::string fresh_nonce() {
  std::random_device device;
  std::string nonce;
  for (int i = 0; i < 4; ++i) nonce += fmt::format("{:08x}", device());
  return nonce;
}

class CodeTests : public SampleReward {
 public:
  CodeTests(const CodeTestsSpec& spec, std::shared_ptr<Executor> executor, std::uint64_t key)
      : spec_(spec), executor_(std::move(executor)), key_(key) {}

  std::int64_t calls_at_once() const override { return spec_.workers; }
  std::int64_t call_size() const override { return 1; }

 protected:
  Score judge(const Episode& episode) const override {
    const Json& reference = spec_.key.empty() ? episode.prompt.reference : reference_at(episode, spec_.key);
    const CodeTask task = code_task(reference, episode.prompt, spec_.challenge);
    const std::string nonce = fresh_nonce();
    const Executor::Outcome outcome = executor_->run(program(task, episode, nonce));
    return score(outcome, nonce);
  }

 private:
  Executor::Program program(const CodeTask& task, const Episode& episode, const std::string& nonce) const;
  Score score(const Executor::Outcome& outcome, const std::string& nonce) const;

  CodeTestsSpec spec_;
  std::shared_ptr<Executor> executor_;
  std::uint64_t key_;
};

Executor::Program CodeTests::program(const CodeTask& task, const Episode& episode, const std::string& nonce) const {
  const std::string text = program_in(episode.completion_text(), task.entry_point);
  const bool whole = task.entry_point.empty() || defines(text, task.entry_point);
  Json input = Json::object();
  input.set("nonce", nonce);
  input.set("seconds", spec_.seconds.count);
  input.set("seed", static_cast<std::int64_t>(Random(key_, episode.prompt.id).next()));
  input.set("share", spec_.value == CodeTestsSpec::Value::share);
  input.set("prompt", task.prompt);
  input.set("entry_point", task.entry_point);
  input.set("setup", task.setup);
  input.set("tests", task.tests);
  input.set("reference", task.reference);
  const std::string second = std::string(second_program) + "/";
  return {.command = {spec_.python, "-B", "-S", "judge.py", std::string(second_program), spec_.python, "-B",
                      "candidate.py"},
          .files = {{"plain.py", std::string(code_tests_plain)},
                    {"judge.py", std::string(code_tests_judge)},
                    {second + "plain.py", std::string(code_tests_plain)},
                    {second + "candidate.py", std::string(code_tests_candidate)},
                    {second + "prelude.py", whole ? task.prompt : ""},
                    {second + "program.py", whole ? text : task.prompt + text}},
          .input = input.dump(),
          // The judge keeps the time; two seconds more mean that it could not.
          .seconds = spec_.seconds.count + 2,
          .memory_bytes = spec_.memory.count,
          .output_bytes = 1 << 16};
}

Score CodeTests::score(const Executor::Outcome& outcome, const std::string& nonce) const {
  using End = Executor::Outcome::End;
  if (outcome.end == End::refused) return Score::error("the sandbox refused: " + outcome.errors, "refused");
  if (outcome.end == End::timed_out) return Score::error("the tests ran longer than the program may", "timeout");
  Json verdict;
  try {
    verdict = Json::parse(outcome.output, "the verdict");
    if (verdict.at("nonce").as_string() != nonce) return Score::error("a verdict of another call", "protocol");
  } catch (const Error&) {
    return Score::error(fmt::format("no verdict: the judge ended with {} {}: {}",
                                    outcome.end == End::exited ? "status" : "signal", outcome.code, outcome.errors),
                        "crash");
  }
  if (const std::string& unusable = verdict.at("unusable").as_string(); !unusable.empty()) {
    return Score::error("the reference's tests cannot be used: " + unusable);
  }
  const std::int64_t passed = verdict.at("passed").as_integer(), total = verdict.at("total").as_integer();
  const bool all = passed == total && total > 0;
  const double share = total > 0 ? static_cast<double>(passed) / static_cast<double>(total) : 0;
  return {.value = spec_.value == CodeTestsSpec::Value::all ? (all ? 1.0 : 0.0) : share,
          .note = verdict.at("why").as_string()};
}

}  // namespace

void CodeTestsSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the task; empty: the reference is the task.");
  f.choice("value", value, value_names,
           "all: 1 when every test passes, else 0. share: the part of the asserts that pass.");
  f.field("challenge", challenge, "MBPP's challenge_test_list counts too.");
  f.field("python", python, "The interpreter of tests and program; every user must be able to execute it.");
  f.field("seconds", seconds, "Time for the tests of one completion; then it is a 0.", above(0));
  f.field("memory", memory, "Memory of one program, and of the tests beside it.", at_least(128 << 20));
  f.field("workers", workers, "Completions that are tested at once.", between(1, 16));
}

std::unique_ptr<Reward> CodeTestsSpec::make(const Services& services) const {
  return std::make_unique<CodeTests>(*this, services.executor(), stream_key(services.seed, "code_tests"));
}

}  // namespace hone
