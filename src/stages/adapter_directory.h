#pragma once

#include <filesystem>

#include "nn/model.h"

/// Models that are a base and a LoRA adapter, in PEFT's layout: adapter_config.json and adapter_model.safetensors, which
/// also holds task heads (modules_to_save), beside the tokenizer and the base's config.json.
namespace hone {

/// Whether the directory holds an adapter instead of weights.
bool is_adapter_directory(const std::filesystem::path& directory);

/// Where the base model's weights are: base_model_name_or_path, seen from here or from the directory. Error{data} when
/// that is no model directory.
std::filesystem::path base_directory(const std::filesystem::path& directory);

/// Writes the model's adapters and task head. `base`: what base_model_name_or_path says.
void write_adapter_files(Model& model, const std::filesystem::path& base, const std::filesystem::path& directory);

/// Puts a directory's adapter and heads into the model's own adapters. Error{data} unless both have the same modules,
/// ranks and scales.
void load_adapter(Model& model, const std::filesystem::path& directory);

/// Adds the updates of a directory's adapter to the model's matrices, and takes over its heads.
void merge_adapter(Model& model, const std::filesystem::path& directory);

}  // namespace hone
