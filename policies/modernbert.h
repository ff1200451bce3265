#pragma once

#include <optional>
#include <vector>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

/// ModernBERT (Warner et al. 2024): an encoder with rotary embeddings, gated MLPs, norms before the branches, and local
/// attention in most layers.
class ModernBertSpec : public PolicySpec {
 public:
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  std::int64_t local_attention = 128;
  std::int64_t global_layer_every = 3;
  double global_rope_theta = 160000;
  double local_rope_theta = 10000;
  double norm_eps = 1e-5;
  double init_std = 0.02;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override { return model_type == "modernbert"; }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<ModernBertSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  // What only files say.
  std::vector<bool> local;  ///< by layer; empty: all but every global_layer_every-th
  std::optional<RopeScaling> global_rope, local_rope;  ///< unset: plain, of the two thetas
  kernels::Activation activation = kernels::Activation::gelu;
  kernels::Activation head_activation = kernels::Activation::gelu;
  bool attention_bias = false, mlp_bias = false, norm_bias = false, head_bias = false, decoder_bias = true;
  bool mean_pooling = false;
  bool tied_embeddings = true;

  ModernBertSpec complete() const;  ///< with every 0 that means "as usual" worked out
  Json hf_config() const;

 private:
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
