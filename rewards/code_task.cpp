#include "rewards/code_task.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "base/error.h"

namespace hone {

namespace {

/// A text, a list of texts as lines, or "" when the key is missing or null.
std::string text_at(const Json& task, std::string_view key) {
  const Json* value = task.find(key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return value->as_string();
  std::string lines;
  for (const Json& line : value->as_array()) lines += line.as_string() + "\n";
  return lines;
}

std::string joined(const std::string& first, const std::string& second) {
  return first.empty() ? second : second.empty() ? first : first + "\n" + second;
}

CodeTask function_task(const Json& task, const Prompt& prompt) {
  CodeTask made{.prompt = text_at(task, "prompt"), .entry_point = text_at(task, "entry_point")};
  if (made.entry_point.empty()) fail(ErrorKind::data, "the task has `test` but no `entry_point`: {}", task.dump());
  if (task.find("prompt") == nullptr) made.prompt = prompt.text;
  made.tests = text_at(task, "test");
  if (const std::string solution = text_at(task, "canonical_solution"); !solution.empty()) {
    made.reference = defines(solution, made.entry_point) ? joined(made.prompt, solution) : made.prompt + solution;
  }
  return made;
}

CodeTask list_task(const Json& task, bool challenge) {
  CodeTask made{.setup = joined(text_at(task, "test_imports"), text_at(task, "test_setup_code")),
                .tests = text_at(task, "test_list"),
                .reference = text_at(task, "code")};
  if (challenge) made.tests += text_at(task, "challenge_test_list");
  if (made.tests.empty()) fail(ErrorKind::data, "the task has no tests: {}", task.dump());
  return made;
}

std::string_view next_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

/// What stands behind ``` on a line that opens or closes a block; nothing for other lines.
std::optional<std::string> fence(std::string_view line) {
  const std::size_t start = line.find_first_not_of(' ');
  if (start == std::string_view::npos || start > 3 || line.substr(start, 3) != "```") return std::nullopt;
  std::string word;
  for (const char c : line.substr(start + 3)) {
    if (!std::isspace(static_cast<unsigned char>(c)))
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return word;
}

std::vector<std::string> fenced_blocks(std::string_view text) {
  constexpr std::array<std::string_view, 4> words{"", "python", "py", "python3"};
  std::vector<std::string> blocks;
  bool open = false, wanted = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (const auto word = fence(line)) {
      open = !open;
      wanted = open && std::ranges::find(words, *word) != words.end();
      if (wanted) blocks.emplace_back();
    } else if (wanted) {
      blocks.back() += std::string(line) + "\n";
    }
  }
  std::erase_if(blocks,
                [](const std::string& block) { return block.find_first_not_of(" \t\r\n") == std::string::npos; });
  return blocks;
}

}  // namespace

CodeTask code_task(const Json& reference, const Prompt& prompt, bool challenge) {
  if (reference.find("test") != nullptr) return function_task(reference, prompt);
  if (reference.find("test_list") != nullptr) return list_task(reference, challenge);
  fail(ErrorKind::data,
       "prompt {}: its reference is no task with tests; expected `test` and `entry_point` (HumanEval) or `test_list` "
       "(MBPP), found {}",
       prompt.id, reference.dump().substr(0, 200));
}

bool defines(std::string_view program, std::string_view name) {
  if (name.empty()) return false;
  while (!program.empty()) {
    std::string_view line = next_line(program);
    bool keyword = false;
    for (const std::string_view word : {"async ", "def ", "class "}) {
      if (!line.starts_with(word)) continue;
      line.remove_prefix(word.size());
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      keyword = word != "async ";
    }
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    const std::size_t next = line.find_first_not_of(" \t");
    const char follows = next == std::string_view::npos ? ' ' : line[next];
    if (keyword && (follows == '(' || follows == ':' || follows == '[')) return true;
    if (!keyword && follows == '=' && !line.substr(next).starts_with("==")) return true;
  }
  return false;
}

std::string program_in(std::string_view completion, std::string_view entry_point) {
  const std::vector<std::string> blocks = fenced_blocks(completion);
  if (blocks.empty()) return std::string(completion);
  const auto found =
      std::find_if(blocks.rbegin(), blocks.rend(), [&](const auto& block) { return defines(block, entry_point); });
  return found == blocks.rend() ? blocks.back() : *found;
}

}  // namespace hone
