#include "base/error.h"
#include "text/chat_template.h"

#include <cstdint>

/// Any bytes are a chat template that ends, within its limits, in text with ranges that lie in it, or in an Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hone::Json messages = hone::Json::parse(
      R"([{"role": "system", "content": "be brief"}, {"role": "user", "content": "a < b {{ 1 }}"},
          {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"x": [1, 2.5]}}}]},
          {"role": "user", "content": [{"type": "text", "text": "\u00e9t\u00e9"}]}])", "messages");
  static const hone::Json tools =
      hone::Json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])", "tools");
  hone::ChatInput input{.messages = messages, .tools = tools, .add_generation_prompt = true};
  input.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  input.now.emplace();
  try {
    const hone::ChatTemplate chat_template(std::string(reinterpret_cast<const char*>(data), size), "input");
    const hone::RenderedChat chat = chat_template.render(input);
    std::size_t end = 0;
    for (const hone::TextRange& range : chat.untrusted) {
      HONE_ASSERT(range.begin >= end && range.end >= range.begin && range.end <= chat.text.size());
      end = range.end;
    }
  } catch (const hone::Error& error) {
    HONE_ASSERT(error.kind() == hone::ErrorKind::data);
  }
  return 0;
}
