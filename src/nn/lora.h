#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "nn/parameter_store.h"

namespace hone {

/// Low-rank adapters (Hu et al. 2021) on the matrices of a model. The matrices themselves are frozen.
struct LoraConfig {
  std::int64_t rank = 0;  ///< 0: no adapters
  double alpha = 32;
  double dropout = 0;
  std::vector<std::string> targets;  ///< patterns of Hugging Face module names; empty: every matrix of the blocks but experts
  bool rslora = false;               ///< scale alpha / sqrt(rank) (Kalajdzievski 2023) instead of alpha / rank
  bool dora = false;                 ///< magnitudes of rows are learned beside the update (Liu et al. 2024)

  void describe(Fields& f);
  bool enabled() const { return rank > 0; }
  double scale() const;
};

/// Freezes the trunk and attaches an adapter to each matrix of it that a target names. A segment of several fused
/// tensors gets one for each that is named. Error{config} when a pattern names nothing. Before store.allocate().
///
/// Segments: "<segment>.<part>.lora_a" [rank, K], ".lora_b" [rows, rank] (zeros), ".lora_magnitude" [rows] for DoRA.
void attach_lora(ParameterStore& store, const LoraConfig& config);

/// DoRA: magnitudes start at the norms of the base's rows. After the base weights are loaded.
void initialize_magnitudes(ParameterStore& store);

/// Adds every adapter's update to its matrix and makes the update zero: the model computes what it did (but for
/// rounding), without adapters. Refreshes.
void merge_adapters(ParameterStore& store);

/// Whether `pattern` ("q_proj", "model.layers.*.mlp.down_proj", "*": any characters) names a module: the whole name or
/// its last components.
bool names_module(std::string_view pattern, std::string_view module);

/// Freezes the segments whose tensors' names match a pattern. Error{config} when a pattern names nothing, or only some
/// tensors of a fused segment. Before store.allocate().
void freeze_segments(ParameterStore& store, const std::vector<std::string>& patterns);

}  // namespace hone
