#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/fields.h"
#include "base/json.h"
#include "kernels/attention/attention.h"
#include "nn/kv_cache.h"
#include "nn/parameter_store.h"

namespace hone {

/// What the rest of hone needs to know of a policy's shape.
struct PolicyShape {
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;
  std::int64_t context = 0;  ///< largest position + 1
  kernels::AttentionShape attention;
  std::int64_t window = 0;  ///< sliding window that the plan must carry; 0: none
};

/// One forward pass.
struct Forward {
  const kernels::AttentionPlan* plan = nullptr;  ///< borrowed for the call
  KvCache* cache = nullptr;                      ///< for cached plans; gradients off
  double dropout = 0;                            ///< 0 in rollout, scoring and evaluation
  std::uint64_t dropout_key = 0;                 ///< a new one each micro-batch
};

/// A language model: ids in, hidden states out. Rollout and training call the very same `hidden`.
///
/// Call order: construction declares every segment in the store; after store.allocate() and store.refresh(), hidden*.
/// Threads: one caller at a time.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual const PolicyShape& shape() const = 0;
  /// id_T (int32) → hidden states after the last norm, [T, D].
  virtual at::Tensor hidden(const at::Tensor& id_T, const Forward& forward) = 0;
  /// [V, D]: the LM head's weight, which is the embedding's where they are tied.
  virtual Parameter lm_weight() const = 0;
  /// What config.json must say so that transformers loads the weights; "architectures" names the causal LM class.
  virtual Json hf_config() const = 0;
};

/// The configuration of a policy family; one row of the table in src/app makes it.
class PolicySpec : public Component {
 public:
  /// Whether a Hugging Face config.json describes this family.
  virtual bool accepts(std::string_view model_type) const = 0;
  /// Fills the fields from config.json. Error{data} names the key that this family cannot honour.
  virtual void from_hf(const Json& config) = 0;
  virtual std::unique_ptr<PolicySpec> clone() const = 0;
  /// Declares segments in the store; vocabulary ids run from 0 to vocabulary - 1.
  virtual std::unique_ptr<Policy> make(ParameterStore& store) const = 0;
  /// Vocabulary size; 0 until the tokenizer's is known.
  virtual std::int64_t& vocabulary() = 0;
};

}  // namespace hone
