#pragma once

#include <optional>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

/// Phi-3 and Phi-4 (Abdin et al. 2024): the blocks of Llama with fused matrices, a rotary embedding that may turn a part
/// of each head and be scaled by longrope, which turns
/// sequences longer than the original context by other factors from their start.
class Phi3Spec : public PolicySpec {
 public:
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 0;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  double rope_theta = 10000;
  double rotary_share = 1;
  double norm_eps = 1e-5;
  double init_std = 0.02;
  std::int64_t sliding_window = 0;
  bool tied_embeddings = false;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override { return model_type == "phi3"; }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<Phi3Spec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

 private:
  Phi3Spec complete() const;  ///< with every 0 that means "as usual" worked out
  Json hf_config() const;

  std::optional<RopeScaling> rope_;  ///< unset: plain, of rope_theta and rotary_share
  kernels::Activation activation_ = kernels::Activation::silu;
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
