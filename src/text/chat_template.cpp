#include "text/chat_template.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/error.h"
#include "text/jinja/dict.h"
#include "text/jinja/template.h"

namespace hone {

namespace {

using jinja::Value;

/// Names of roles that cannot forge anything: templates build tokens such as '<|' + role + '|>' from them.
constexpr std::array<std::string_view, 12> usual_roles = {
    "system", "user", "assistant", "tool", "developer", "function", "ipython", "model", "human", "gpt", "tools",
    "environment"};

/// Where transformers looks for the reasoning of a message; the first name is the standard one.
constexpr std::array<std::string_view, 3> reasoning_keys = {"reasoning_content", "thinking", "reasoning"};

constexpr std::string_view end_tag = "CONTINUE_FINAL_MESSAGE_TAG ";

std::tm local_time() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm broken{};
  localtime_r(&now, &broken);
  return broken;
}

/// The reasoning under all names that templates look for.
Json with_reasoning_names(const Json& message) {
  const Json* reasoning = nullptr;
  for (const std::string_view key : reasoning_keys) {
    const Json* found = message.find(key);
    if (reasoning == nullptr && found != nullptr && !found->is_null()) reasoning = found;
  }
  if (reasoning == nullptr) return message;
  const Json text = *reasoning;
  Json copy = Json::object();
  copy.set("thinking", text);
  for (const auto& [key, value] : message.as_object()) copy.set(key, value);
  copy.set("reasoning_content", text);
  return copy;
}

/// The messages as the template sees them.
Json prepared(const Json& messages, const std::string& where) {
  if (!messages.is_array()) {
    fail(ErrorKind::data, "{}: messages: expected an array, got {}", where, messages.type_name());
  }
  Json::Array all;
  for (std::size_t i = 0; i < messages.as_array().size(); ++i) {
    const Json& message = messages.as_array()[i];
    if (!message.is_object()) {
      fail(ErrorKind::data, "{}: messages[{}]: expected an object, got {}", where, i, message.type_name());
    }
    all.push_back(with_reasoning_names(message));
  }
  return Json(std::move(all));
}

/// Adds the tag to the text of the last message, and gives the text without it.
std::string tag_final_message(Json& messages, const std::string& where) {
  if (messages.as_array().empty()) fail(ErrorKind::data, "{}: there is no last message to continue", where);
  Json& message = messages.as_array().back();
  const Json* content = message.find("content");
  if (content != nullptr && content->is_string()) {
    const std::string text = content->as_string();
    message.set("content", text + std::string(end_tag));
    return text;
  }
  if (content != nullptr && content->is_array()) {
    Json blocks = *content;
    for (std::size_t i = blocks.as_array().size(); i-- > 0;) {
      Json& block = blocks.as_array()[i];
      if (const Json* text = block.find("text"); text != nullptr && text->is_string()) {
        const std::string before = text->as_string();
        block.set("text", before + std::string(end_tag));
        message.set("content", std::move(blocks));
        return before;
      }
    }
  }
  fail(ErrorKind::data, "{}: the last message has no text in \"content\" to continue", where);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

/// Ends the text where the tag stands.
void cut_at_tag(RenderedChat& chat, const std::string& final_text, const std::string& where) {
  const std::string_view tag = trimmed(end_tag);
  const std::size_t at = chat.text.rfind(tag);
  if (at == chat.text.npos || chat.text.find(trimmed(final_text)) == chat.text.npos) {
    fail(ErrorKind::data, "{}: the last message cannot be continued: the template does not print its text as it is",
         where);
  }
  std::size_t end = at;
  if (!std::string_view(chat.text).substr(at).starts_with(end_tag)) {  // the template trims: so must the text
    const std::size_t last = std::string_view(chat.text).substr(0, at).find_last_not_of(" \t\n\r\f\v");
    end = last == chat.text.npos ? 0 : last + 1;
  }
  chat.text.resize(end);
  for (auto* ranges : {&chat.untrusted, &chat.generation}) {
    std::erase_if(*ranges, [&](const TextRange& range) { return range.begin >= end; });
    if (!ranges->empty()) ranges->back().end = std::min(ranges->back().end, end);
  }
}

void add_range(std::vector<TextRange>& ranges, const jinja::Mark& mark) {
  if (!ranges.empty() && ranges.back().end == mark.begin) ranges.back().end = mark.end;
  else ranges.push_back({mark.begin, mark.end});
}

/// Messages whose usual role names are trusted and everything else is data.
Value messages_value(jinja::Runtime& runtime, const Json& messages) {
  std::vector<Value> all;
  for (const Json& message : messages.as_array()) {
    jinja::DictBuilder dict(runtime);
    for (const auto& [key, value] : message.as_object()) {
      const bool trusted = key == "role" && value.is_string() &&
                           std::ranges::find(usual_roles, value.as_string()) != usual_roles.end();
      dict.set(Value::of(jinja::make_str(runtime, key, jinja::from_data)),
               jinja::from_json(runtime, value, trusted ? 0 : jinja::from_data));
    }
    all.push_back(dict.finish(true));
  }
  return jinja::make_items(runtime, jinja::Kind::list, all, true);
}

void set_inputs(jinja::Runtime& runtime, jinja::Renderer& renderer, const ChatInput& input, const Json& messages) {
  for (const auto& [name, token] : input.special_tokens) {
    renderer.set_input(name, Value::of(jinja::make_str(runtime, token)));
  }
  if (input.extra.is_object()) {
    for (const auto& [name, value] : input.extra.as_object()) {
      renderer.set_input(name, jinja::from_json(runtime, value, jinja::from_data));
    }
  }
  renderer.set_input("messages", messages_value(runtime, messages));
  renderer.set_input("tools", jinja::from_json(runtime, input.tools, jinja::from_data));
  renderer.set_input("documents", jinja::from_json(runtime, input.documents, jinja::from_data));
  renderer.set_input("add_generation_prompt", Value::of(input.add_generation_prompt));
}

}  // namespace

ChatTemplate::ChatTemplate(std::string source, std::string where)
    : source_(std::move(source)),
      where_(std::move(where)),
      template_(std::make_shared<const jinja::Template>(source_, where_)),
      marks_generation_(template_->marks_generation()) {}

RenderedChat ChatTemplate::render(const ChatInput& input) const {
  if (!input.extra.is_null() && !input.extra.is_object()) {
    fail(ErrorKind::data, "{}: variables of the template: expected an object, got {}", where_, input.extra.type_name());
  }
  if (input.continue_final_message && input.add_generation_prompt) {
    fail(ErrorKind::data, "{}: a generation prompt begins a new message, so the last one cannot be continued", where_);
  }
  Json messages = prepared(input.messages, where_);
  std::string final_text;
  if (input.continue_final_message) final_text = tag_final_message(messages, where_);
  jinja::Rendered rendered = template_->render(
      input.now ? *input.now : local_time(),
      [&](jinja::Runtime& runtime, jinja::Renderer& renderer) { set_inputs(runtime, renderer, input, messages); });
  RenderedChat chat;
  chat.text = std::move(rendered.text);
  for (const jinja::Mark& mark : rendered.marks) {
    if ((mark.flags & jinja::from_data) != 0) add_range(chat.untrusted, mark);
    if ((mark.flags & jinja::generation) != 0) add_range(chat.generation, mark);
  }
  if (input.continue_final_message) cut_at_tag(chat, final_text, where_);
  return chat;
}

std::string choose_chat_template(const std::vector<std::string>& names, bool has_tools, std::string_view where) {
  for (const std::string_view name : {"tool_use", "default"}) {
    if (name == "tool_use" && !has_tools) continue;
    if (std::ranges::find(names, name) != names.end()) return std::string(name);
  }
  fail(ErrorKind::data, "{}: none of the {} chat templates is named \"default\"", where, names.size());
}

}  // namespace hone
