#include "io/adapter_files.h"

#include "base/error.h"
#include "io/adapter_config.h"
#include "io/file.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace hone {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kA = ".lora_A.weight";
constexpr std::string_view kB = ".lora_B.weight";
constexpr std::string_view kMagnitude = ".lora_magnitude_vector";

/// Tensors of one module as they are found.
struct Parts {
  const TensorView* a = nullptr;
  const TensorView* b = nullptr;
  const TensorView* magnitude = nullptr;
};

/// Whether `tensor` ("lm_head.weight") belongs to a module of that name.
bool belongs(std::string_view tensor, std::string_view module) {
  return fmt::format(".{}", tensor).find(fmt::format(".{}.", module)) != std::string::npos;
}

double scale_of(const AdapterConfig& config, std::string_view module, std::int64_t rank) {
  const auto divisor = static_cast<double>(rank);
  return config.alpha_of(module) / (config.rank_stabilized ? std::sqrt(divisor) : divisor);
}

AdapterModule module_of(const std::string& name, const Parts& parts, const AdapterConfig& config,
                        const std::string& file) {
  const auto require = [&](bool present, std::string_view suffix) {
    if (!present) fail(ErrorKind::data, "{}: tensor {}{}{} is missing", file, kPrefix, name, suffix);
  };
  require(parts.a != nullptr, kA);
  require(parts.b != nullptr, kB);
  if (config.dora) require(parts.magnitude != nullptr, kMagnitude);
  if (!config.dora && parts.magnitude != nullptr) {
    fail(ErrorKind::data, "{}: tensor {} is there, but use_dora is false", file, parts.magnitude->name);
  }
  const auto& a = parts.a->shape;
  const auto& b = parts.b->shape;
  const std::int64_t rank = config.rank_of(name);
  if (a.size() != 2 || b.size() != 2 || a[0] != rank || b[1] != rank) {
    fail(ErrorKind::data, "{}: module {}: lora_A has shape {} and lora_B {}, expected [{}, in] and [out, {}]", file,
         name, shape_text(a), shape_text(b), rank, rank);
  }
  if (config.dora && parts.magnitude->shape != std::vector<std::int64_t>{b[0]}) {
    fail(ErrorKind::data, "{}: tensor {} has shape {}, expected [{}]", file, parts.magnitude->name,
         shape_text(parts.magnitude->shape), b[0]);
  }
  AdapterModule module{name, *parts.a, *parts.b, std::nullopt, scale_of(config, name, rank)};
  if (config.dora) module.magnitude = *parts.magnitude;
  return module;
}

void sort_tensor(const TensorView& tensor, const std::string& file, std::map<std::string, Parts>& modules,
                 Adapter& adapter) {
  const std::string_view full = tensor.name;
  if (!full.starts_with(kPrefix)) {
    fail(ErrorKind::data, "{}: tensor {} is not one that PEFT writes: its name must begin with {}", file, full,
         kPrefix);
  }
  const std::string_view name = full.substr(kPrefix.size());
  const auto module_name = [&](std::string_view suffix) {
    return std::string(name.substr(0, name.size() - suffix.size()));
  };
  if (name.ends_with(kA)) {
    modules[module_name(kA)].a = &tensor;
  } else if (name.ends_with(kB)) {
    modules[module_name(kB)].b = &tensor;
  } else if (name.ends_with(kMagnitude)) {
    modules[module_name(kMagnitude)].magnitude = &tensor;
  } else {
    const auto& whole = adapter.config.modules_to_save;
    const bool known =
        name.find("lora_") == std::string_view::npos && name.find(".base_layer.") == std::string_view::npos &&
        std::any_of(whole.begin(), whole.end(), [&](const auto& module) { return belongs(name, module); });
    if (!known) {
      fail(ErrorKind::data,
           "{}: tensor {} is neither lora_A, lora_B nor a magnitude, and in no module of modules_to_save", file,
           full);
    }
    adapter.saved.push_back(tensor);
    adapter.saved.back().name = name;
  }
}

TensorView renamed(const TensorView& view, std::string name) {
  TensorView result = view;
  result.name = std::move(name);
  return result;
}

}  // namespace

Adapter read_adapter(const fs::path& directory) {
  const fs::path config_file = directory / "adapter_config.json";
  const fs::path tensor_file = directory / "adapter_model.safetensors";
  const Json json = Json::parse(read_file(config_file), config_file.string());
  if (!fs::exists(tensor_file) && fs::exists(directory / "adapter_model.bin")) {
    fail(ErrorKind::data,
         "{}: only adapter_model.bin is in it, a pickle, which can run any code and is never read; save "
         "the adapter again with safe_serialization",
         directory.string());
  }
  Adapter adapter;
  adapter.config = parse_adapter_config(json, config_file.string());
  adapter.files.push_back(Safetensors::open(tensor_file));
  std::map<std::string, Parts> modules;
  for (const TensorView& tensor : adapter.files[0].tensors())
    sort_tensor(tensor, tensor_file.string(), modules, adapter);
  for (const auto& [name, parts] : modules) {
    adapter.modules.push_back(module_of(name, parts, adapter.config, tensor_file.string()));
  }
  if (adapter.modules.empty()) fail(ErrorKind::data, "{}: no adapter is in it", tensor_file.string());
  return adapter;
}

void write_adapter(const fs::path& directory, const Adapter& adapter, DType stored) {
  std::vector<TensorView> tensors;
  for (const AdapterModule& module : adapter.modules) {
    const std::string name = std::string(kPrefix) + module.name;
    HONE_ASSERT(module.magnitude.has_value() == adapter.config.dora);
    tensors.push_back(renamed(module.a, name + std::string(kA)));
    tensors.push_back(renamed(module.b, name + std::string(kB)));
    if (module.magnitude) tensors.push_back(renamed(*module.magnitude, name + std::string(kMagnitude)));
  }
  for (const TensorView& tensor : adapter.saved)
    tensors.push_back(renamed(tensor, std::string(kPrefix) + tensor.name));
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& x, const TensorView& y) { return x.name < y.name; });
  write_safetensors_as(directory / "adapter_model.safetensors", tensors, stored);
  write_file_atomic(directory / "adapter_config.json", adapter_config_json(adapter.config).dump(2) + "\n");
}

}  // namespace hone
