#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// What a policy wrote between <tool_call> and </tool_call>: a call, or why it is none, in words for the policy.
///
///     <tool_call>{"name": "calculate", "arguments": {"expression": "2*(3+4)"}}</tool_call>
struct ToolCall {
  std::string name;
  Json arguments;     ///< an object
  std::string error;  ///< empty for a call
};

/// The calls of one turn in order, none for a turn without <tool_call>. Nothing that a policy writes is an exception.
/// Arguments may be left out, or be an object written as a JSON text. The last call may lack its closing tag: as a stop
/// string, </tool_call> is not part of the completion. Calls beyond the first `most` are errors that say so, and one
/// error stands for all that follow it when there are more than twice as many.
std::vector<ToolCall> tool_calls(std::string_view completion, std::int64_t most);

/// The argument `key` of a call when it is a text; else the call's `error` says what is missing and "" is returned.
std::string text_argument(ToolCall& call, std::string_view key);

/// How an observation is written into the episode; content longer than `most_bytes` is cut between code points, and
/// says so. Made valid UTF-8.
///
///     "\n<tool_response>\n14\n</tool_response>\n"
std::string tool_response(std::string_view content, std::size_t most_bytes = 4096);

}  // namespace hone
