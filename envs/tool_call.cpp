#include "envs/tool_call.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::string_view opening = "<tool_call>";
constexpr std::string_view closing = "</tool_call>";

ToolCall refused(std::string why) { return {.arguments = Json::object(), .error = std::move(why)}; }

/// The arguments of a call as an object, whichever way they were written.
Json arguments_of(const Json& call) {
  const Json* arguments = call.find("arguments");
  if (arguments == nullptr || arguments->is_null()) return Json::object();
  if (arguments->is_object()) return *arguments;
  if (arguments->is_string()) {
    Json parsed = Json::parse(arguments->as_string(), "arguments");
    if (parsed.is_object()) return parsed;
  }
  fail(ErrorKind::data, "\"arguments\" must be a JSON object");
}

ToolCall parsed(std::string_view body, bool closed) {
  try {
    const Json call = Json::parse(body, "tool call");
    if (!call.is_object()) return refused("a tool call must be a JSON object with \"name\" and \"arguments\"");
    const Json* name = call.find("name");
    if (name == nullptr || !name->is_string() || name->as_string().empty()) {
      return refused("a tool call needs a \"name\", a text");
    }
    return {.name = name->as_string(), .arguments = arguments_of(call), .error = {}};
  } catch (const Error& error) {
    return refused(closed ? error.what() : fmt::format("{}; or is {} missing?", error.what(), closing));
  }
}

}  // namespace

std::vector<ToolCall> tool_calls(std::string_view completion, std::int64_t most) {
  std::vector<ToolCall> calls;
  for (std::size_t begin = completion.find(opening); begin != std::string_view::npos;) {
    begin += opening.size();
    const std::size_t end = completion.find(closing, begin);
    const bool closed = end != std::string_view::npos;
    const auto count = static_cast<std::int64_t>(calls.size());
    if (count >= most) {
      calls.push_back(refused(fmt::format("at most {} tool call{} a turn", most, most == 1 ? "" : "s")));
      if (count >= 2 * most) break;
    } else {
      calls.push_back(parsed(completion.substr(begin, closed ? end - begin : end), closed));
    }
    if (!closed) break;
    begin = completion.find(opening, end + closing.size());
  }
  return calls;
}

std::string text_argument(ToolCall& call, std::string_view key) {
  const Json* value = call.arguments.find(key);
  if (value != nullptr && value->is_string()) return value->as_string();
  call.error = fmt::format("{} needs the argument \"{}\", a text", call.name, key);
  return {};
}

std::string tool_response(std::string_view content, std::size_t most_bytes) {
  std::string text = valid_utf8(content);
  if (text.size() > most_bytes) {
    std::size_t cut = most_bytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text = fmt::format("{}\n... cut after {} of {} bytes", text.substr(0, cut), cut, text.size());
  }
  return fmt::format("\n<tool_response>\n{}\n</tool_response>\n", text);
}

}  // namespace hone
