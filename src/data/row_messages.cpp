#include "base/error.h"
#include "data/row_columns.h"

namespace hone {

namespace {

std::string shown(const Json& value) { return value.dump().substr(0, 80); }

/// {"type": "function", "function": …}, as chat templates read tools and calls.
Json as_function(const Json& description) {
  if (!description.is_object() || description.find("function") != nullptr) return description;
  Json wrapped = Json::object();
  wrapped.set("type", "function");
  wrapped.set("function", description);
  return wrapped;
}

/// The texts of a list of parts, joined; nothing when a part is something else.
std::optional<std::string> joined_texts(const Json& parts) {
  std::string joined;
  for (const Json& part : parts.as_array()) {
    const Json* text = part.is_object() ? part.find("text") : nullptr;
    if (text == nullptr || !text->is_string()) return std::nullopt;
    joined += text->as_string();
  }
  return joined;
}

/// A message's text; nothing when it is none.
std::optional<std::string> content_of(const Json& message, const Json* content) {
  const Json* calls = message.find("tool_calls");
  const bool calls_tools = calls != nullptr && calls->is_array() && !calls->as_array().empty();
  if (content == nullptr || content->is_null()) return calls_tools ? std::optional(std::string()) : std::nullopt;
  if (content->is_string()) return content->as_string();
  return content->is_array() ? joined_texts(*content) : std::nullopt;
}

}  // namespace

Json RowColumns::list_or_text(std::string_view canonical) const {
  const Json& value = *find(canonical);
  if (!value.is_string()) return value;
  try {
    return Json::parse(value.as_string(), "its JSON");
  } catch (const Error& error) {
    wrong(canonical, "a list, or a list as JSON text", error.what());
  }
}

std::vector<Message> RowColumns::messages(std::string_view canonical, std::string_view role,
                                          std::string_view content) const {
  const Json list = list_or_text(canonical);
  if (!list.is_array() || list.as_array().empty()) {
    wrong(canonical, "a list of messages", list.is_array() ? "an empty list" : list.type_name());
  }
  std::vector<Message> messages;
  for (const Json& item : list.as_array()) {
    const Json* who = item.is_object() ? item.find(role) : nullptr;
    const std::optional<std::string> text =
        item.is_object() ? content_of(item, item.find(content)) : std::nullopt;
    if (who == nullptr || !who->is_string() || !text) {
      wrong(canonical, fmt::format("each message to have the texts `{}` and `{}`", role, content),
            fmt::format("{} in message {}", shown(item), messages.size() + 1));
    }
    Message message{.role = who->as_string(), .content = *text};
    for (const auto& [name, value] : item.as_object()) {
      const bool plain = name == role || (name == content && value.is_string());
      if (plain || value.is_null()) continue;
      if (message.fields.is_null()) message.fields = Json::object();
      message.fields.set(name == content ? "content" : name, value);
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

void RowColumns::read_call(Message& message) const {
  Json calls;
  try {
    calls = Json::parse(message.content, "its JSON");
  } catch (const Error& error) {
    wrong("conversations", "the value of a function_call to be JSON", error.what());
  }
  if (calls.is_object()) calls = Json(Json::Array{calls});
  Json::Array all;
  for (const Json& call : calls.is_array() ? calls.as_array() : Json::Array{}) {
    if (!call.is_object() || call.find("name") == nullptr) {
      wrong("conversations", "a function_call to have a `name`", shown(call));
    }
    all.push_back(as_function(call));
  }
  if (all.empty()) wrong("conversations", "a function_call to be an object or a list of them", shown(calls));
  message.content.clear();
  if (message.fields.is_null()) message.fields = Json::object();
  message.fields.set("tool_calls", Json(std::move(all)));
}

Json RowColumns::tools() const {
  if (!has("tools")) return {};
  const Json& value = *find("tools");
  if (value.is_string() && value.as_string().empty()) return {};
  const Json list = list_or_text("tools");
  if (!list.is_array()) wrong("tools", "a list of tool descriptions", list.type_name());
  Json::Array tools;
  for (const Json& tool : list.as_array()) {
    if (!tool.is_object()) wrong("tools", "a description to be an object", shown(tool));
    tools.push_back(as_function(tool));
  }
  return tools.empty() ? Json() : Json(std::move(tools));
}

}  // namespace hone
