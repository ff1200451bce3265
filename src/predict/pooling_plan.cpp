#include "predict/pooling.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "io/file.h"

namespace hone {
namespace {

struct ModeName {
  std::string_view name;
  std::string_view flag;  ///< of config.json before names
  PoolingMode mode;
};

/// In the order in which several modes are put one behind the other.
constexpr std::array<ModeName, 6> kModes{{
    {"cls", "pooling_mode_cls_token", PoolingMode::cls},
    {"max", "pooling_mode_max_tokens", PoolingMode::max},
    {"mean", "pooling_mode_mean_tokens", PoolingMode::mean},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", PoolingMode::mean_sqrt_len_tokens},
    {"weightedmean", "pooling_mode_weightedmean_tokens", PoolingMode::weightedmean},
    {"lasttoken", "pooling_mode_lasttoken", PoolingMode::lasttoken},
}};

Json read_json(const std::filesystem::path& path) { return Json::parse(read_file(path), path.string()); }

const Json* set_member(const Json& object, std::string_view key) {
  const Json* value = object.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::vector<PoolingMode> read_modes(const Json& config) {
  std::vector<PoolingMode> modes;
  if (const Json* names = set_member(config, "pooling_mode")) {
    if (names->is_string()) return {PoolingPlan::parse_mode(names->as_string())};
    for (const Json& name : names->as_array()) modes.push_back(PoolingPlan::parse_mode(name.as_string()));
    return modes;
  }
  for (const ModeName& known : kModes) {
    const Json* flag = set_member(config, known.flag);
    if (flag != nullptr && flag->as_bool()) modes.push_back(known.mode);
  }
  return modes;
}

void read_pooling(const std::filesystem::path& path, PoolingPlan& plan) {
  const Json config = read_json(path);
  for (const auto& [key, value] : config.as_object()) {
    bool known = key == "pooling_mode" || key == "include_prompt" || key == "word_embedding_dimension" ||
                 key == "embedding_dimension";
    for (const ModeName& mode : kModes) known = known || key == mode.flag;
    if (!known)
      fail(ErrorKind::data, "{}: the key {} is not known, so the vectors could come out wrong", path.string(), key);
  }
  plan.modes = read_modes(config);
  if (plan.modes.empty()) plan.modes = {PoolingMode::mean};
  if (const Json* include = set_member(config, "include_prompt")) plan.include_prompt = include->as_bool();
  for (const std::string_view key : {"word_embedding_dimension", "embedding_dimension"}) {
    if (const Json* dimension = set_member(config, key)) plan.dimension = dimension->as_integer();
  }
}

void read_limits(const std::filesystem::path& path, PoolingPlan& plan) {
  if (!std::filesystem::exists(path)) return;
  const Json config = read_json(path);
  if (const Json* length = set_member(config, "max_seq_length")) plan.max_tokens = length->as_integer();
  if (const Json* lower = set_member(config, "do_lower_case")) plan.lower_case = lower->as_bool();
}

/// A module's folder in the model's directory.
std::filesystem::path folder_of(const Json& module, const std::filesystem::path& modules) {
  const std::filesystem::path folder = module.at("path").as_string();
  bool inside = folder.is_relative();
  for (const std::filesystem::path& part : folder) inside = inside && part != "..";
  if (!inside)
    fail(ErrorKind::data, "{}: the module path {} leads outside the model's directory", modules.string(),
         folder.string());
  return modules.parent_path() / folder;
}

/// "Pooling" of "sentence_transformers.models.Pooling".
std::string last_part(const std::string& type) {
  const std::size_t dot = type.rfind('.');
  return dot == std::string::npos ? type : type.substr(dot + 1);
}

}  // namespace

PoolingMode PoolingPlan::parse_mode(std::string_view name) {
  std::vector<std::string> names;
  for (const ModeName& known : kModes) {
    if (known.name == name) return known.mode;
    names.emplace_back(known.name);
  }
  fail(ErrorKind::config, "the pooling mode {} is not known{}", name, suggestion(name, names));
}

std::optional<PoolingPlan> read_pooling_plan(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "modules.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json modules = read_json(path);
  PoolingPlan plan;
  std::vector<std::string> kinds;
  for (const Json& module : modules.as_array()) {
    const std::string kind = last_part(module.at("type").as_string());
    const std::filesystem::path folder = folder_of(module, path);
    if (kind == "Transformer") {
      read_limits(folder / "sentence_bert_config.json", plan);
    } else if (kind == "Pooling") {
      read_pooling(folder / "config.json", plan);
    } else if (kind == "Normalize") {
      plan.normalize = true;
    } else {
      fail(ErrorKind::data, "{}: the module {} is not supported; expected Transformer, Pooling and Normalize",
           path.string(), kind);
    }
    kinds.push_back(kind);
  }
  const std::vector<std::string> plain{"Transformer", "Pooling"}, normalized{"Transformer", "Pooling", "Normalize"};
  if (kinds != plain && kinds != normalized) {
    fail(ErrorKind::data, "{}: the modules are {}; expected Transformer, Pooling and perhaps Normalize, in this order",
         path.string(), fmt::join(kinds, ", "));
  }
  return plan;
}

void write_pooling_plan(const PoolingPlan& plan, const std::filesystem::path& directory) {
  struct Module {
    const char* kind;
    const char* folder;
  };
  std::vector<Module> kinds{{"Transformer", ""}, {"Pooling", "1_Pooling"}};
  if (plan.normalize) kinds.push_back({"Normalize", "2_Normalize"});
  Json modules = Json::array();
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    Json module = Json::object();
    module.set("idx", static_cast<std::int64_t>(i));
    module.set("name", std::to_string(i));
    module.set("path", kinds[i].folder);
    module.set("type", std::string("sentence_transformers.models.") + kinds[i].kind);
    modules.push_back(std::move(module));
    std::filesystem::create_directories(directory / kinds[i].folder);
  }
  write_file_atomic(directory / "modules.json", modules.dump(2) + "\n");

  Json pooling = Json::object();
  if (plan.dimension) pooling.set("word_embedding_dimension", *plan.dimension);
  for (const ModeName& known : kModes) {
    pooling.set(std::string(known.flag), std::find(plan.modes.begin(), plan.modes.end(), known.mode) != plan.modes.end());
  }
  pooling.set("include_prompt", plan.include_prompt);
  write_file_atomic(directory / "1_Pooling" / "config.json", pooling.dump(2) + "\n");

  Json limits = Json::object();
  if (plan.max_tokens) limits.set("max_seq_length", *plan.max_tokens);
  limits.set("do_lower_case", plan.lower_case);
  write_file_atomic(directory / "sentence_bert_config.json", limits.dump(2) + "\n");
}

}  // namespace hone
