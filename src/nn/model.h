#pragma once

#include <memory>
#include <optional>

#include "nn/heads.h"
#include "nn/policy.h"

namespace hone {

/// Which heads a model carries beside its LM head.
struct HeadPlan {
  bool value = false;          ///< a critic on the same trunk
  std::int64_t scores = 0;     ///< outputs of a reward (1) or classification head; 0: none
  bool scores_are_classes = false;
};

/// A policy with its weights and heads.
struct Model {
  Model(const PolicySpec& spec, const HeadPlan& plan, kernels::Compute compute, bool trainable);

  ParameterStore store;
  std::unique_ptr<Policy> policy;
  std::optional<Head> value;
  std::optional<Head> score;

  /// Copies every segment that both models have, but for the one named `except`, and refreshes. Error{internal} when
  /// shapes differ.
  void copy_weights(Model& from, std::string_view except = "");
};

/// A plan over packed sequences without a cache: start_S1 and position_T (int32) as in Batch.
kernels::AttentionPlan packed_plan(const Policy& policy, const at::Tensor& start_S1, const at::Tensor& position_T);

}  // namespace hone
