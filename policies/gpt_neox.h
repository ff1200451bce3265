#pragma once

#include <optional>

#include "nn/layers.h"
#include "nn/policy.h"
#include "nn/rope.h"

namespace hone {

/// GPT-NeoX (Black et al. 2022; Pythia): layer norms, rotary embedding of a part of each head, attention and MLP side by
/// side on the same stream.
class GptNeoxSpec : public PolicySpec {
 public:
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  double rotary_share = 0.25;
  double rope_theta = 10000;
  double norm_eps = 1e-5;
  double init_std = 0.02;
  bool parallel = true;
  bool tied_embeddings = false;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override { return model_type == "gpt_neox"; }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<GptNeoxSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  Json hf_config() const;
  RopeScaling rope() const;
  bool attention_bias = true;  ///< as the file has it
  kernels::Activation activation = kernels::Activation::gelu;

 private:
  std::optional<RopeScaling> rope_;
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
