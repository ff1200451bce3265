#include "envs/python_tool.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "envs/tool_call.h"

namespace hone {

namespace {

/// What one turn wants: to end, to run `code`, or to be told of an error.
struct Request {
  bool ends = false;
  std::string code;
  std::string error;
};

std::string_view next_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

bool has_answer(std::string_view text) {
  constexpr std::string_view word = "answer:";
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t start = std::min(line.find_first_not_of(" \t"), line.size());
    const std::string_view begin = line.substr(start, word.size());
    if (std::ranges::equal(begin, word, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; })) {
      return true;
    }
  }
  return false;
}

/// The last ```python block. Its end may be missing: as a stop string, ``` is not part of the completion.
std::optional<std::string> python_block(std::string_view text) {
  std::optional<std::string> block;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.starts_with("```")) {
      const std::string_view word = line.substr(3, line.find_last_not_of(" \t\r") - 2);
      inside = !inside && (word == "python" || word == "py");
      if (inside) block.emplace();
    } else if (inside) {
      *block += std::string(line) + "\n";
    }
  }
  return block;
}

Request request_of(const std::string& completion) {
  if (has_answer(completion)) return {.ends = true};
  std::vector<ToolCall> calls = tool_calls(completion, 1);
  if (!calls.empty()) {
    ToolCall& call = calls.front();
    if (call.error.empty() && call.name != "python") {
      return {.error = fmt::format("there is no tool \"{}\"; the only tool is \"python\"", call.name)};
    }
    std::string code = call.error.empty() ? text_argument(call, "code") : "";
    return {.code = std::move(code), .error = call.error};
  }
  std::optional<std::string> block = python_block(completion);
  if (!block) return {.ends = true};
  if (block->find_first_not_of(" \t\r\n") == std::string::npos) return {.error = "the block of code is empty"};
  return {.code = std::move(*block)};
}

class PythonTool : public Environment {
 public:
  PythonTool(const PythonToolSpec& spec, std::unique_ptr<PromptSource> rows, std::shared_ptr<Executor> executor)
      : spec_(spec), rows_(std::move(rows)), executor_(std::move(executor)) {}

  std::uint64_t size(Split split) const override { return rows_->size(split); }
  Prompt prompt(Split split, std::uint64_t index) const override { return rows_->prompt(split, index); }
  std::optional<std::string> demonstration(const Prompt& prompt) const override { return rows_->demonstration(prompt); }

  Step step(const Episode& episode) override {
    const Episode* one = &episode;
    return steps(std::span(&one, 1)).front();
  }

  std::vector<Step> steps(std::span<const Episode* const> episodes) override {
    std::vector<Request> requests;
    for (const Episode* episode : episodes) requests.push_back(request_of(episode->completion_text()));
    std::vector<Executor::Outcome> outcomes(episodes.size());
    parallel_for(static_cast<std::int64_t>(episodes.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        if (runs(requests[i], *episodes[i])) outcomes[i] = executor_->run(program(requests[i].code));
      }
    });
    std::vector<Step> steps;
    for (std::size_t i = 0; i < episodes.size(); ++i) steps.push_back(step_of(requests[i], outcomes[i], *episodes[i]));
    return steps;
  }

 private:
  bool over(const Request& request, const Episode& episode) const {
    return request.ends || static_cast<std::int64_t>(episode.turns.size()) >= spec_.turns;
  }
  bool runs(const Request& request, const Episode& episode) const {
    return !over(request, episode) && request.error.empty();
  }

  Executor::Program program(const std::string& code) const {
    return {.command = {spec_.python, "-B", "main.py"},
            .files = {{"main.py", code}},
            .seconds = spec_.seconds.count,
            .memory_bytes = spec_.memory.count,
            .output_bytes = 4 * spec_.reply_bytes};
  }

  Step step_of(const Request& request, const Executor::Outcome& outcome, const Episode& episode) const {
    if (over(request, episode)) return {};
    const std::string content = request.error.empty() ? observation(outcome) : "error: " + request.error;
    return {.done = false, .reply = tool_response(content, static_cast<std::size_t>(spec_.reply_bytes))};
  }

  /// What the program printed and how it ended. Error{service} when the sandbox did not run it.
  std::string observation(const Executor::Outcome& outcome) const {
    using End = Executor::Outcome::End;
    if (outcome.end == End::refused) {
      fail(ErrorKind::service, "environment {}: the sandbox refused to run a program: {}", spec_.name, outcome.errors);
    }
    // The end of a traceback says most; it must not be what is cut.
    const auto half = static_cast<std::size_t>(spec_.reply_bytes / 2);
    std::string errors =
        outcome.errors.size() > half ? outcome.errors.substr(outcome.errors.size() - half) : outcome.errors;
    std::string text = outcome.output;
    if (!errors.empty() && text.size() > half) text = text.substr(0, half) + "\n…";
    if (!errors.empty()) text += (text.empty() || text.ends_with('\n') ? "" : "\n") + errors;
    while (text.ends_with('\n')) text.pop_back();
    const std::string_view line = text.empty() ? "" : "\n";
    if (outcome.end == End::timed_out)
      return fmt::format("{}{}error: stopped after {} s", text, line, spec_.seconds.count);
    if (outcome.end == End::killed) return fmt::format("{}{}error: ended by signal {}", text, line, outcome.code);
    return text.empty() ? "(no output)" : text;
  }

  PythonToolSpec spec_;
  std::unique_ptr<PromptSource> rows_;
  std::shared_ptr<Executor> executor_;
};

}  // namespace

void PythonToolSpec::describe(Fields& f) {
  f.field("data", data, "Name of the entry of `data:` whose rows are the prompts.");
  f.required();
  f.field("turns", turns, "Turns before the episode ends.", between(1, 100));
  f.field("reply_bytes", reply_bytes, "Bytes of output that a reply holds at most.", between(64, 1 << 20));
  f.field("python", python, "The interpreter; every user must be able to execute it.");
  f.field("seconds", seconds, "Time of one program.", above(0));
  f.field("memory", memory, "Memory of one program.", at_least(64 << 20));
}

std::unique_ptr<Environment> PythonToolSpec::make(const Services& services) const {
  auto rows = services.prompts(data);
  if (rows->size(Split::train) == 0) {
    fail(ErrorKind::data, "environment {}: data {} has no rows to train on; check its file and its split", name, data);
  }
  return std::make_unique<PythonTool>(*this, std::move(rows), services.executor());
}

}  // namespace hone
