#pragma once

#include <filesystem>

#include "io/adapter_files.h"
#include "nn/model.h"
#include "stages/model_tensors.h"

/// Models that are a base and a LoRA adapter, in PEFT's layout: adapter_config.json and adapter_model.safetensors, which
/// also holds task heads (modules_to_save), beside the tokenizer and the base's config.json.
namespace hone {

/// Whether the directory holds an adapter instead of weights.
bool is_adapter_directory(const std::filesystem::path& directory);

/// Where the base model's weights are: what the adapter's base_model_name_or_path says, seen from here or from the
/// adapter's directory. Error{data} when that is no model directory.
std::filesystem::path base_directory(const std::filesystem::path& directory, const AdapterConfig& config);
std::filesystem::path base_directory(const std::filesystem::path& directory);

/// Writes the model's adapters and task head. `base`: what base_model_name_or_path says.
void write_adapter_files(Model& model, const std::filesystem::path& base, const std::filesystem::path& directory);

/// Puts an adapter and its heads into the model's own adapters. Error{data} naming `directory` unless both have the same
/// modules, ranks and scales.
void load_adapter(Model& model, const Adapter& adapter, const std::filesystem::path& directory);

/// Adds the updates of an adapter to the rows of the model's matrices as they are read; `adapter` must stay alive.
/// Error{data} naming `directory` where the model has no such matrix.
RowChange merge_of(Model& model, const Adapter& adapter, const std::filesystem::path& directory);

/// Takes over an adapter's heads, that were trained whole.
void load_saved(Model& model, const Adapter& adapter, const std::filesystem::path& directory);

}  // namespace hone
