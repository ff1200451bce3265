#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "nn/heads.h"
#include "nn/lora.h"
#include "nn/policy.h"

namespace hone {

/// Which heads a model carries.
struct HeadPlan {
  bool lm = true;
  bool value = false;       ///< a critic on the same trunk
  std::int64_t scores = 0;  ///< outputs of a head of kind `score_kind`; 0: none
  HeadKind score_kind = HeadKind::reward;
  std::vector<std::string> labels;  ///< names of the outputs; empty: none
  std::string problem_type;         ///< as in config.json: regression, multi_label_classification …; empty: not said
  bool is_trunk() const { return !lm && !value && scores == 0; }
  bool operator==(const HeadPlan&) const = default;
};

/// What of a model is trained: adapters instead of the matrices themselves, or all but the frozen layers.
struct TuningConfig {
  std::vector<std::string> freeze;  ///< patterns of Hugging Face tensor names
  LoraConfig lora;
  /// Directory of the base model that adapters are saved for; empty: models are saved whole. Not in the file.
  std::string base_model;
  void describe(Fields& f);
};

/// A policy with its weights and heads.
struct Model {
  Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, WeightUse use,
        const TuningConfig& tuning = {});
  /// `trainable`: for training, else with values that can be saved.
  Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, bool trainable,
        const TuningConfig& tuning = {});

  ParameterStore store;
  std::unique_ptr<Policy> policy;
  std::optional<Head> value;
  std::optional<Head> score;
  HeadPlan plan;
  TuningConfig tuning;

  /// Copies every segment that both models have, those of the task's head only if wanted, and refreshes. `from` has all
  /// values in its arena. Error{internal} when shapes differ.
  void copy_weights(Model& from, bool with_head = true);
};

/// A plan over packed sequences without a cache: start_S1 and position_T (int32) as in Batch.
kernels::AttentionPlan packed_plan(const at::Tensor& start_S1, const at::Tensor& position_T);

}  // namespace hone
