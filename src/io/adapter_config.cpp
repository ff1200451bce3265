#include "io/adapter_config.h"

#include "base/error.h"

#include <algorithm>
#include <array>

namespace hone {
namespace {

/// Keys that say nothing about the adapter's numbers.
constexpr std::array<std::string_view, 11> kWithoutEffect = {
    "auto_mapping",      "revision",       "inference_mode",  "peft_version",    "layers_pattern",   "megatron_core",
    "qalora_group_size", "runtime_config", "exclude_modules", "arrow_pe_config", "low_cpu_mem_usage"};

/// How the adapter was initialised matters only when the base was changed with it.
constexpr std::array<std::string_view, 3> kHarmlessStarts = {"gaussian", "eva", "orthogonal"};

class Reader {
 public:
  Reader(const Json& json, const std::string& source) : json_(json), source_(source) {
    if (!json.is_object()) fail(ErrorKind::data, "{}: expected an object, not {}", source, json.type_name());
  }

  [[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) const {
    fail(ErrorKind::data, "{}: {} is {}, which is not supported; expected {}", source_, key, value.dump(), expected);
  }

  const Json* find(std::string_view key) {
    read_.emplace_back(key);
    const Json* value = json_.find(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::string text(std::string_view key) {
    const Json* value = find(key);
    if (value != nullptr && !value->is_string()) refuse(key, *value, "a string");
    return value == nullptr ? "" : value->as_string();
  }
  bool flag(std::string_view key) {
    const Json* value = find(key);
    if (value != nullptr && !value->is_bool()) refuse(key, *value, "true or false");
    return value != nullptr && value->as_bool();
  }
  double number(std::string_view key, double otherwise) {
    const Json* value = find(key);
    if (value != nullptr && !value->is_number()) refuse(key, *value, "a number");
    return value == nullptr ? otherwise : value->as_number();
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> result;
    const Json* value = find(key);
    if (value == nullptr) return result;
    if (!value->is_array()) refuse(key, *value, "a list of names");
    for (const Json& item : value->as_array()) {
      if (!item.is_string()) refuse(key, item, "names");
      result.push_back(item.as_string());
    }
    return result;
  }

  /// Anything else that is set would change what the adapter computes.
  void refuse_the_rest() const {
    for (const auto& [key, value] : json_.as_object()) {
      const bool known = std::find(read_.begin(), read_.end(), key) != read_.end() ||
                         std::find(kWithoutEffect.begin(), kWithoutEffect.end(), key) != kWithoutEffect.end();
      const bool unset = value.is_null() || value == Json(false) || value == Json::object() || value == Json::array();
      if (!known && !unset) refuse(key, value, "it unset");
    }
  }

 private:
  const Json& json_;
  const std::string& source_;
  std::vector<std::string> read_;
};

/// PEFT's patterns are regular expressions; only plain names, where a dot is a dot, are taken.
std::string plain_name(Reader& reader, std::string_view key, std::string pattern) {
  for (std::size_t at = 0; (at = pattern.find("\\.", at)) != std::string::npos;) pattern.erase(at, 1);
  if (pattern.find_first_of("\\^$*+?()[]{}|") != std::string::npos || pattern.empty()) {
    reader.refuse(key, Json(pattern), "names of modules, not regular expressions");
  }
  return pattern;
}

template <class Number, class Convert>
std::vector<std::pair<std::string, Number>> pattern_list(Reader& reader, std::string_view key,
                                                         const Convert& convert) {
  std::vector<std::pair<std::string, Number>> result;
  const Json* value = reader.find(key);
  if (value == nullptr) return result;
  if (!value->is_object()) reader.refuse(key, *value, "an object");
  for (const auto& [name, number] : value->as_object()) {
    result.emplace_back(plain_name(reader, key, name), convert(number));
  }
  return result;
}

std::int64_t positive(Reader& reader, std::string_view key, const Json& value) {
  if (!value.is_integer() || value.as_integer() < 1) reader.refuse(key, value, "a whole number from 1 on");
  return value.as_integer();
}

std::vector<std::int64_t> layers(Reader& reader) {
  std::vector<std::int64_t> result;
  const Json* value = reader.find("layers_to_transform");
  if (value == nullptr) return result;
  const Json::Array items = value->is_array() ? value->as_array() : Json::Array{*value};
  for (const Json& item : items) {
    if (!item.is_integer() || item.as_integer() < 0)
      reader.refuse("layers_to_transform", *value, "numbers of layers");
    result.push_back(item.as_integer());
  }
  return result;
}

/// Whether `module` is `name` or ends in "." and `name`.
bool names(std::string_view name, std::string_view module) {
  if (!module.ends_with(name)) return false;
  return module.size() == name.size() || module[module.size() - name.size() - 1] == '.';
}

template <class Number>
Number by_pattern(const std::vector<std::pair<std::string, Number>>& patterns, std::string_view module,
                  Number otherwise) {
  for (const auto& [name, number] : patterns) {
    if (names(name, module)) return number;
  }
  return otherwise;
}

template <class Number>
Json pattern_json(const std::vector<std::pair<std::string, Number>>& patterns) {
  Json object = Json::object();
  for (const auto& [name, number] : patterns) object.set(name, number);
  return object;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

std::int64_t AdapterConfig::rank_of(std::string_view module) const { return by_pattern(rank_pattern, module, rank); }
double AdapterConfig::alpha_of(std::string_view module) const { return by_pattern(alpha_pattern, module, alpha); }

AdapterConfig parse_adapter_config(const Json& json, const std::string& source) {
  Reader reader(json, source);
  if (const std::string type = reader.text("peft_type"); type != "LORA")
    reader.refuse("peft_type", Json(type), "LORA");
  if (const std::string bias = reader.text("bias"); !bias.empty() && bias != "none") {
    reader.refuse("bias", Json(bias), "none");
  }
  if (const Json* start = reader.find("init_lora_weights"); start != nullptr && !start->is_bool()) {
    const bool harmless = start->is_string() && std::find(kHarmlessStarts.begin(), kHarmlessStarts.end(),
                                                          start->as_string()) != kHarmlessStarts.end();
    if (!harmless) reader.refuse("init_lora_weights", *start, "an initialisation that leaves the base as it is");
  }
  AdapterConfig config;
  if (const Json* rank = reader.find("r")) config.rank = positive(reader, "r", *rank);
  config.alpha = reader.number("lora_alpha", 8);
  config.dropout = reader.number("lora_dropout", 0);
  if (!(config.dropout >= 0 && config.dropout < 1))
    reader.refuse("lora_dropout", Json(config.dropout), "0 to below 1");
  if (const Json* targets = reader.find("target_modules"); targets != nullptr && targets->is_string()) {
    config.target_pattern = targets->as_string();
  } else {
    config.target_modules = reader.texts("target_modules");
  }
  config.rank_stabilized = reader.flag("use_rslora");
  config.dora = reader.flag("use_dora");
  config.fan_in_fan_out = reader.flag("fan_in_fan_out");
  config.rank_pattern = pattern_list<std::int64_t>(
      reader, "rank_pattern", [&](const Json& value) { return positive(reader, "rank_pattern", value); });
  config.alpha_pattern = pattern_list<double>(reader, "alpha_pattern", [&](const Json& value) {
    if (!value.is_number()) reader.refuse("alpha_pattern", value, "numbers");
    return value.as_number();
  });
  config.layers_to_transform = layers(reader);
  config.modules_to_save = reader.texts("modules_to_save");
  config.task_type = reader.text("task_type");
  config.base_model = reader.text("base_model_name_or_path");
  reader.refuse_the_rest();
  return config;
}

Json adapter_config_json(const AdapterConfig& config) {
  const auto list = [](const auto& items) { return Json(Json::Array(items.begin(), items.end())); };
  Json json = Json::object();
  json.set("alpha_pattern", pattern_json(config.alpha_pattern));
  json.set("base_model_name_or_path", text_or_null(config.base_model));
  json.set("bias", "none");
  json.set("fan_in_fan_out", config.fan_in_fan_out);
  json.set("inference_mode", true);
  json.set("init_lora_weights", true);
  json.set("layers_to_transform", config.layers_to_transform.empty() ? Json() : list(config.layers_to_transform));
  json.set("lora_alpha", config.alpha);
  json.set("lora_dropout", config.dropout);
  json.set("modules_to_save", config.modules_to_save.empty() ? Json() : list(config.modules_to_save));
  json.set("peft_type", "LORA");
  json.set("r", config.rank);
  json.set("rank_pattern", pattern_json(config.rank_pattern));
  json.set("target_modules",
           config.target_pattern.empty() ? list(config.target_modules) : Json(config.target_pattern));
  json.set("task_type", text_or_null(config.task_type));
  json.set("use_dora", config.dora);
  json.set("use_rslora", config.rank_stabilized);
  return json;
}

}  // namespace hone
