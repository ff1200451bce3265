#include "predict/text_task.h"

#include <vector>

#include "base/error.h"

namespace hone {
namespace {

constexpr std::string_view kTranslation = "translation";

/// How T5 was taught to be asked.
std::string translation_prefix(const TextTaskWish& wish) { return fmt::format("translate {} to {}: ", wish.from, wish.to); }

bool has_prefix(const Json& settings, const std::string& prefix) {
  const Json* own = settings.find("prefix");
  return own != nullptr && *own == Json(prefix);
}

/// The name of the task in the configuration; a model with a single translation task need not be told which. Empty: it
/// has none such.
std::string full_name(const Json::Object& tasks, const TextTaskWish& wish, std::string_view source) {
  if (wish.task != kTranslation) return wish.task;
  const bool named = !wish.from.empty();
  const std::string by_codes = fmt::format("translation_{}_to_{}", wish.from, wish.to);
  std::vector<std::string> found;
  for (const auto& [name, settings] : tasks) {
    if (named ? name == by_codes || has_prefix(settings, translation_prefix(wish)) : name == kTranslation) return name;
    if (name.starts_with("translation_")) found.push_back(name);
  }
  if (wish.prefix) return "";
  if (named && !found.empty()) {
    fail(ErrorKind::config, "{} has no translation from {} to {}, it has {}; name one of them, or give the prefix that the "
         "model was trained with", source, wish.from, wish.to, fmt::join(found, ", "));
  }
  if (found.size() > 1) {
    fail(ErrorKind::config, "{} has several translation tasks: {}; say from which language to which", source,
         fmt::join(found, ", "));
  }
  return found.empty() ? "" : found.front();
}

std::string text_of(const Json* value, std::string_view key, std::string_view source) {
  if (value == nullptr || value->is_null()) return "";
  if (!value->is_string())
    fail(ErrorKind::data, "{}: {} is of type {}, expected string", source, key, value->type_name());
  return value->as_string();
}

}  // namespace

TextTask read_text_task(const Json& config, const TextTaskWish& wish, std::string_view source) {
  TextTask result{.prefix = text_of(config.find("prefix"), "prefix", source)};
  const Json* tasks = config.find("task_specific_params");
  const bool listed = tasks != nullptr && !tasks->is_null();
  if (listed && !tasks->is_object()) {
    fail(ErrorKind::data, "{}: task_specific_params is of type {}, expected object", source, tasks->type_name());
  }
  const std::string name = full_name(listed ? tasks->as_object() : Json::Object{}, wish, source);
  const Json* settings = listed ? tasks->find(name) : nullptr;
  if (settings != nullptr) {
    const std::string key = "task_specific_params." + name;
    if (!settings->is_object()) {
      fail(ErrorKind::data, "{}: {} is of type {}, expected object", source, key, settings->type_name());
    }
    if (const Json* prefix = settings->find("prefix")) result.prefix = text_of(prefix, key + ".prefix", source);
    for (const auto& [setting, value] : settings->as_object()) {
      if (setting != "prefix") result.generation.set(setting, value);
    }
  } else if (!wish.from.empty()) {
    result.prefix = translation_prefix(wish);
  }
  if (wish.prefix) result.prefix = *wish.prefix;
  return result;
}

Json text_task_json(std::string_view task, std::string text) {
  const char* const key = task == "summarization"          ? "summary_text"
                          : task.starts_with(kTranslation) ? "translation_text"
                                                           : "generated_text";
  return Json::Object{{key, std::move(text)}};
}

}  // namespace hone
