#pragma once

#include "io/safetensors.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hone {

/// adapter_config.json of PEFT's LoRA.
struct AdapterConfig {
  std::int64_t rank = 8;
  double alpha = 8;
  double dropout = 0;
  std::vector<std::string> target_modules;  ///< names, each of a whole module or of its last parts
  std::string target_pattern;               ///< in place of the list: a regular expression for the whole name
  bool rank_stabilized = false;             ///< use_rslora: scale alpha / sqrt(rank) in place of alpha / rank
  bool dora = false;                        ///< use_dora: the magnitude of each output is learnt apart
  bool fan_in_fan_out = false;              ///< the base stores its matrices transposed, as GPT-2 does
  /// Other ranks and alphas, for modules whose name is this or ends in "." and this. The first that fits counts.
  std::vector<std::pair<std::string, std::int64_t>> rank_pattern;
  std::vector<std::pair<std::string, double>> alpha_pattern;
  std::vector<std::int64_t> layers_to_transform;  ///< empty: all
  std::vector<std::string> modules_to_save;       ///< trained whole and stored beside the adapter
  std::string task_type;                          ///< "CAUSAL_LM", "SEQ_CLS" …; may be empty
  std::string base_model;                         ///< name or path; may be empty

  /// What the patterns say, else rank and alpha.
  std::int64_t rank_of(std::string_view module) const;
  double alpha_of(std::string_view module) const;
};

/// The adapter of one matrix: the base's output gains scale × b(a(x)).
struct AdapterModule {
  std::string name;                     ///< in the base model: "model.layers.0.self_attn.q_proj"
  TensorView a;                         ///< lora_A: [rank, in]
  TensorView b;                         ///< lora_B: [out, rank]
  std::optional<TensorView> magnitude;  ///< lora_magnitude_vector: [out]; with dora only
  double scale = 1;                     ///< from the config; not stored
};

struct Adapter {
  AdapterConfig config;
  std::vector<AdapterModule> modules;  ///< by name
  std::vector<TensorView> saved;       ///< of modules_to_save, under the base model's names ("lm_head.weight")
  std::vector<Safetensors> files;      ///< keeps the bytes that the views point to
};

/// Reads adapter_config.json and adapter_model.safetensors of a directory. Error{data} that names the file and the
/// key for what cannot be honoured (another peft_type, biases, initialisations that changed the base …), for a tensor
/// that is neither part of an adapter nor of modules_to_save, and for shapes or ranks that disagree.
Adapter read_adapter(const std::filesystem::path& directory);

/// Writes both files into an existing directory, as PEFT names things; names and scales of tensors in `adapter` are
/// taken from the modules. F32 tensors are stored as `stored`.
void write_adapter(const std::filesystem::path& directory, const Adapter& adapter, DType stored = DType::f32);

}  // namespace hone
