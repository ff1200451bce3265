#include "predict/text_task.h"

#include <vector>

#include "base/error.h"

namespace hone {
namespace {

constexpr std::string_view kTranslation = "translation";

/// The name of the task in the configuration; a model with a single translation task need not be told which.
std::string full_name(const Json::Object& tasks, std::string_view task, std::string_view source) {
  if (task != kTranslation) return std::string(task);
  std::vector<std::string> found;
  for (const auto& [name, settings] : tasks) {
    if (name == task) return name;
    if (name.starts_with("translation_")) found.push_back(name);
  }
  if (found.size() > 1) {
    fail(ErrorKind::config, "{} has several translation tasks; name one of {}", source, fmt::join(found, ", "));
  }
  return found.empty() ? std::string(task) : found.front();
}

std::string text_of(const Json* value, std::string_view key, std::string_view source) {
  if (value == nullptr || value->is_null()) return "";
  if (!value->is_string())
    fail(ErrorKind::data, "{}: {} is of type {}, expected string", source, key, value->type_name());
  return value->as_string();
}

}  // namespace

TextTask read_text_task(const Json& config, std::string_view task, std::string_view source) {
  TextTask result{.prefix = text_of(config.find("prefix"), "prefix", source)};
  const Json* tasks = config.find("task_specific_params");
  if (tasks == nullptr || tasks->is_null()) return result;
  if (!tasks->is_object()) {
    fail(ErrorKind::data, "{}: task_specific_params is of type {}, expected object", source, tasks->type_name());
  }
  const std::string name = full_name(tasks->as_object(), task, source);
  const Json* settings = tasks->find(name);
  if (settings == nullptr) return result;
  if (!settings->is_object()) {
    fail(ErrorKind::data, "{}: task_specific_params.{} is of type {}, expected object", source, name,
         settings->type_name());
  }
  for (const auto& [key, value] : settings->as_object()) {
    if (key == "prefix") {
      result.prefix = text_of(&value, fmt::format("task_specific_params.{}.prefix", name), source);
    } else {
      result.generation.set(key, value);
    }
  }
  return result;
}

Json text_task_json(std::string_view task, std::string text) {
  const char* const key = task == "summarization"          ? "summary_text"
                          : task.starts_with(kTranslation) ? "translation_text"
                                                           : "generated_text";
  return Json::Object{{key, std::move(text)}};
}

}  // namespace hone
