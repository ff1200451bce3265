#pragma once

#include <optional>
#include <vector>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

class HfConfig;

enum class GemmaKind { gemma, gemma2, gemma3 };

/// Gemma (Mesnard et al. 2024), Gemma 2 (Riviere et al. 2024), the text model of Gemma 3 (Kamath et al. 2025): norm
/// weights stored as the distance from one, embeddings scaled by sqrt(hidden), GELU gates; Gemma 2 adds norms behind the
/// branches, soft caps and windows in some layers, Gemma 3 norms of queries and keys and a rotary base for each kind of
/// layer.
class GemmaSpec : public PolicySpec {
 public:
  GemmaKind family = GemmaKind::gemma2;
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  double rope_theta = 10000;
  double norm_eps = 1e-6;
  double init_std = 0.02;
  double attention_soft_cap = 0;
  double final_soft_cap = 0;
  std::int64_t sliding_window = 0;
  std::int64_t full_layer_every = 2;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override {
    return model_type == "gemma" || model_type == "gemma2" || model_type == "gemma3_text";
  }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<GemmaSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

 private:
  GemmaSpec complete() const;  ///< with every 0 that means "as usual" worked out
  Json hf_config() const;
  void read_layers(HfConfig& config);

  std::vector<bool> slides_;               ///< by layer; empty: every full_layer_every-th is full
  std::optional<double> attention_scalar_; ///< scores are divided by its root; unset: head_dim
  std::optional<RopeScaling> rope_, sliding_rope_;  ///< of full and of sliding layers; unset: plain, of rope_theta
  kernels::Activation activation_ = kernels::Activation::gelu_tanh;
  bool tied_embeddings_ = true;
  bool attention_bias_ = false;
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
