#pragma once

#include <optional>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

class HfConfig;

/// The decoder family of Llama, Mistral, Qwen2 and Qwen3: RMSNorm, rotary embedding, grouped-query attention, SwiGLU.
class LlamaSpec : public PolicySpec {
 public:
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
  bool tied_embeddings = true;
  bool qkv_bias = false;
  bool output_bias = false;
  bool qk_norm = false;
  std::int64_t sliding_window = 0;
  double init_std = 0.02;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override;
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<LlamaSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  // What only files say.
  std::optional<RopeScaling> rope;  ///< unset: plain, of rope_theta
  bool mlp_bias = false;
  std::int64_t first_window_layer = 0;
  kernels::Activation activation = kernels::Activation::silu;

 private:
  LlamaSpec complete() const;  ///< with every 0 that means "as usual" worked out
  Json hf_config() const;
  void read_window(HfConfig& config, std::string_view type);

  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
