#include "envs/tool_call.h"

#include <doctest/doctest.h>

#include <string>

#include "base/utf8.h"

namespace hone {

TEST_CASE("envs: tool calls are read in order") {
  const auto calls = tool_calls(
      "let me see <tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": 1}}\n</tool_call> and "
      "<tool_call>{\"name\": \"stop\"}</tool_call>",
      2);
  REQUIRE(calls.size() == 2);
  CHECK(calls[0].name == "add");
  CHECK(calls[0].arguments.at("a") == Json(1));
  CHECK(calls[0].error.empty());
  CHECK(calls[1].name == "stop");
  CHECK(calls[1].arguments == Json::object());
  CHECK(tool_calls("no call, <tool> none", 1).empty());
}

TEST_CASE("envs: arguments may be a JSON text, and the last call may lack its closing tag") {
  const auto calls = tool_calls("<tool_call>{\"name\": \"add\", \"arguments\": \"{\\\"a\\\": 1}\"}", 1);
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].error.empty());
  CHECK(calls[0].arguments.at("a") == Json(1));
}

TEST_CASE("envs: what is no call says why, for the policy to read") {
  const std::pair<const char*, const char*> wrong[] = {
      {"<tool_call>add(1)</tool_call>", "tool call"},
      {"<tool_call></tool_call>", "tool call"},
      {"<tool_call>[1]</tool_call>", "must be a JSON object"},
      {"<tool_call>{\"arguments\": {}}</tool_call>", "needs a \"name\""},
      {"<tool_call>{\"name\": 5}</tool_call>", "needs a \"name\""},
      {"<tool_call>{\"name\": \"add\", \"arguments\": [1]}</tool_call>", "\"arguments\" must be a JSON object"},
      {"<tool_call>{\"name\": \"add\", \"arguments\": \"[1]\"}</tool_call>", "\"arguments\" must be a JSON object"},
      {"<tool_call>{\"name\": \"add\", \"argu", "or is </tool_call> missing?"},
      {"<tool_call>\xFF</tool_call>", "tool call"},
  };
  for (const auto& [text, why] : wrong) {
    CAPTURE(text);
    const auto calls = tool_calls(text, 1);
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].error.find(why) != std::string::npos);
  }
  const std::string deep = "<tool_call>" + std::string(10'000, '[');
  CHECK_FALSE(tool_calls(deep, 1).at(0).error.empty());
}

TEST_CASE("envs: calls beyond the limit are refused, and their number is bounded") {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "<tool_call>{\"name\": \"add\"}</tool_call>";
  const auto calls = tool_calls(many, 2);
  REQUIRE(calls.size() == 5);
  CHECK(calls[1].error.empty());
  CHECK(calls[2].error == "at most 2 tool calls a turn");
}

TEST_CASE("envs: a text argument, and what is said without one") {
  ToolCall call = tool_calls("<tool_call>{\"name\": \"run\", \"arguments\": {\"code\": \"x\", \"n\": 1}}", 1).at(0);
  CHECK(text_argument(call, "code") == "x");
  CHECK(call.error.empty());
  CHECK(text_argument(call, "n").empty());
  CHECK(call.error == "run needs the argument \"n\", a text");
}

TEST_CASE("envs: responses are valid UTF-8 and of limited size") {
  CHECK(tool_response("14") == "\n<tool_response>\n14\n</tool_response>\n");
  const std::string cut = tool_response("\xC3\xA4\xC3\xB6\xC3\xBC", 3);
  CHECK(cut.find("\xC3\xA4\n... cut after 2 of 6 bytes") != std::string::npos);
  CHECK(first_invalid_utf8(tool_response("\xFF\xFE")) == std::string::npos);
}

}  // namespace hone
