#pragma once

#include <filesystem>
#include <memory>

#include "base/fields.h"
#include "base/json.h"
#include "io/model_files.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

/// A model in the Hugging Face layout: config.json, generation_config.json, model.safetensors (or shards of it), the
/// tokenizer's files as they were read, README.md.
/// Fused matrices are stored as the separate tensors that transformers knows, a task's head as its class has it. A
/// critic's value head goes to value_head.safetensors, which other programs do not read. Where adapters are trained on a
/// base that lies elsewhere (TuningConfig::base_model) the directory holds the adapter alone, in PEFT's layout.

/// What a directory holds beside the model and its tokenizer, and how.
struct ModelDirectoryOptions {
  WeightFiles weights;     ///< not of adapters, which are stored as they are trained
  Json generation_config;  ///< of the model that this one was made from: its values are kept; null: there is none
  std::string card;        ///< README.md; empty: what the model alone tells
};

/// Writes the files into an existing directory.
void write_model_files(Model& model, const Tokenizer& tokenizer, const std::filesystem::path& directory,
                       const ModelDirectoryOptions& options = {});

/// Writes the directory atomically, replacing an older one of that name: a failure leaves that one, or none.
void save_model_directory(Model& model, const Tokenizer& tokenizer, const std::filesystem::path& place,
                          const ModelDirectoryOptions& options = {});

/// config.json of a model directory. Error{io} that says what is missing: the directory, or that file.
Json read_model_config(const std::filesystem::path& directory);

/// The directory's tokenizer. Error{data} when it has ids that the model has no embedding for.
std::unique_ptr<Tokenizer> read_model_tokenizer(const std::filesystem::path& directory, PolicySpec& spec);

/// The policy family and shape that config.json describes. Error{data} for a family that no row of the table accepts.
std::unique_ptr<PolicySpec> read_policy_spec(const std::filesystem::path& directory, const Catalogs& catalogs);

/// Which heads the directory holds.
HeadPlan read_head_plan(const std::filesystem::path& directory);

/// What becomes of an adapter that a directory holds.
enum class StoredAdapter {
  merge,  ///< into the matrices
  keep    ///< in the model's own adapters, where it has any
};

/// Fills the weights of `model` and refreshes. Heads that the directory lacks keep their values. Error{data} that lists
/// tensors that are missing, of another shape, or that the model has no place for.
void load_weights(Model& model, const std::filesystem::path& directory, StoredAdapter adapter = StoredAdapter::merge);

}  // namespace hone
