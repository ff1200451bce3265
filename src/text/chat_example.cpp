#include <algorithm>

#include "base/error.h"
#include "text/chat_template.h"

namespace hone {

namespace {

bool is_assistant(const Json& message) {
  const Json* role = message.find("role");
  return role != nullptr && role->is_string() && role->as_string() == "assistant";
}

Json first_messages(const Json& messages, std::size_t count) {
  const Json::Array& all = messages.as_array();
  return Json(Json::Array(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)));
}

/// Where the turn of message `index` stands in the rendering of the whole conversation.
TextRange turn_by_prefixes(const ChatTemplate& chat_template, ChatInput input, std::size_t index,
                           const std::string& whole) {
  const Json messages = input.messages;
  input.messages = first_messages(messages, index);
  input.add_generation_prompt = true;
  const std::string before = chat_template.render(input).text;
  input.messages = first_messages(messages, index + 1);
  input.add_generation_prompt = false;
  const std::string with = chat_template.render(input).text;
  if (!with.starts_with(before)) {
    fail(ErrorKind::data,
         "messages[{}]: the assistant's turn cannot be found: the rendered conversation with it does not begin with the "
         "one before it and a generation prompt; use a template with {{% generation %}} tags",
         index);
  }
  if (!whole.starts_with(with)) {
    fail(ErrorKind::data,
         "messages[{}]: the assistant's turn cannot be found: the template renders it otherwise once more messages "
         "follow; use a template with {{% generation %}} tags, or learn the last turn only (`learn: last_turn`)",
         index);
  }
  return {before.size(), with.size()};
}

}  // namespace

ChatExample chat_example(const ChatTemplate& chat_template, const ChatInput& input, ChatTurns turns) {
  ChatInput plain = input;
  plain.add_generation_prompt = false;
  plain.continue_final_message = false;
  if (!plain.now) {  // one time for all renderings
    const std::time_t now = std::time(nullptr);
    std::tm broken{};
    localtime_r(&now, &broken);
    plain.now = broken;
  }
  ChatExample example{chat_template.render(plain), {}};
  const Json::Array& messages = input.messages.as_array();
  std::size_t first = 0;
  if (turns == ChatTurns::last) {
    for (std::size_t i = 0; i < messages.size(); ++i) first = is_assistant(messages[i]) ? i : first;
  }
  if (chat_template.marks_generation()) {
    example.learned = example.chat.generation;
    if (turns == ChatTurns::last && example.learned.size() > 1) {
      example.learned.erase(example.learned.begin(), example.learned.end() - 1);
    }
    return example;
  }
  for (std::size_t i = first; i < messages.size(); ++i) {
    if (!is_assistant(messages[i])) continue;
    const TextRange turn = turn_by_prefixes(chat_template, plain, i, example.chat.text);
    if (turn.begin == turn.end) continue;
    if (!example.learned.empty() && example.learned.back().end == turn.begin) example.learned.back().end = turn.end;
    else example.learned.push_back(turn);
  }
  return example;
}

}  // namespace hone
