#pragma once

#include <optional>
#include <vector>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

enum class MoeKind { mixtral, qwen3_moe };

/// Mixtral (Jiang et al. 2024) and Qwen3-MoE (Yang et al. 2025): decoders whose MLPs are mixtures of experts.
class MoeSpec : public PolicySpec {
 public:
  MoeKind family = MoeKind::mixtral;
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t expert_mlp = 0;
  std::int64_t experts = 8;
  std::int64_t experts_a_token = 2;
  std::int64_t context = 512;
  double rope_theta = 10000;
  double norm_eps = 1e-6;
  double init_std = 0.02;
  double balance = 0.001;
  std::int64_t sliding_window = 0;
  bool tied_embeddings = false;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override {
    return model_type == "mixtral" || model_type == "qwen3_moe";
  }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<MoeSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

 private:
  MoeSpec complete() const;  ///< with every 0 that means "as usual" worked out
  Json hf_config() const;
  bool is_sparse(std::int64_t layer) const;

  std::int64_t dense_mlp_ = 0;  ///< of Qwen3-MoE's layers without experts
  std::int64_t sparse_step_ = 1;
  std::vector<std::int64_t> dense_layers_;
  bool normalize_ = true;
  bool attention_bias_ = false;
  kernels::Activation activation_ = kernels::Activation::silu;
  std::optional<RopeScaling> rope_;  ///< unset: plain, of rope_theta
  std::optional<Json> source_;       ///< the config.json that was read
};

}  // namespace hone
