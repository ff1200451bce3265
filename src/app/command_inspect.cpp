#include <cstdio>
#include <map>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "io/safetensors.h"
#include "stages/adapter_directory.h"
#include "stages/model_directory.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// Runs `body`; what it would refuse becomes a line of the report.
template <class Body>
void guarded(Json& report, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    Json refused = report.at("refused");
    refused.push_back(error.what());
    report.set("refused", refused);
  }
}

void add_files(Json& report, const fs::path& directory) {
  Json files = Json::object();
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file()) files.set(entry.path().filename().string(), static_cast<std::int64_t>(entry.file_size()));
  }
  report.set("files", files);
}

/// Tensors and bytes by dtype.
void add_tensors(Json& report, const fs::path& directory) {
  const Safetensors file = Safetensors::open(directory);
  std::map<std::string, std::int64_t> tensors;
  for (const TensorView& view : file.tensors()) ++tensors[std::string(dtype_name(view.dtype))];
  Json dtypes = Json::object();
  for (const auto& [name, count] : tensors) dtypes.set(name, count);
  report.set("tensors", static_cast<std::int64_t>(file.tensors().size()));
  report.set("dtypes", dtypes);
}

void add_model(Json& report, const fs::path& directory) {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
  report.set("family", spec->kind);
  Model model(*spec, read_head_plan(directory), kernels::Compute::float32, WeightUse::edit);
  const PolicyShape& shape = model.policy->shape();
  report.set("parameters", model.store.parameters());
  report.set("vocabulary", shape.vocabulary);
  report.set("hidden", shape.hidden);
  report.set("layers", shape.layers);
  report.set("context", shape.context);
  load_weights(model, directory);
}

void print_report(const Json& report) {
  for (const auto& [key, value] : report.as_object()) {
    if (!value.is_object() && !value.is_array()) {
      fmt::print("{:<14}{}\n", key, value.is_string() ? value.as_string() : value.dump());
      continue;
    }
    fmt::print("{}\n", key);
    if (value.is_array()) {
      for (const Json& item : value.as_array()) fmt::print("  {}\n", item.is_string() ? item.as_string() : item.dump());
    } else {
      for (const auto& [name, item] : value.as_object()) {
        fmt::print("  {:<40} {}\n", name, key == "files" ? format_bytes(item.as_integer()) : item.dump());
      }
    }
  }
}

}  // namespace

void command_inspect(const std::string& directory, bool json) {
  prepare_process(0);
  Json report = Json::object();
  const Json config = read_model_config(directory);
  for (const char* key : {"model_type", "architectures"}) {
    if (const Json* value = config.find(key); value != nullptr) report.set(key, *value);
  }
  report.set("refused", Json::array());
  guarded(report, [&] { add_tensors(report, is_adapter_directory(directory) ? base_directory(directory) : fs::path(directory)); });
  guarded(report, [&] { add_model(report, directory); });
  guarded(report, [&] {
    const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
    report.set("token_ids", static_cast<std::int64_t>(read_model_tokenizer(directory, *spec)->vocab_size()));
  });
  add_files(report, directory);
  if (json) {
    std::puts(report.dump().c_str());
  } else {
    print_report(report);
  }
}

}  // namespace hone
