#pragma once

#include <optional>

#include "nn/layers.h"
#include "nn/policy.h"

namespace hone {

/// GPT-2 (Radford et al. 2019): layer norms, learned positions, a plain MLP, biases everywhere.
class Gpt2Spec : public PolicySpec {
 public:
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  double norm_eps = 1e-5;
  double init_std = 0.02;
  bool tied_embeddings = true;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override { return model_type == "gpt2"; }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<Gpt2Spec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  Json hf_config() const;
  kernels::Activation activation = kernels::Activation::gelu_tanh;  ///< as the file has it
  bool scale_attention = true;
  bool scale_by_layer = false;  ///< scores of layer i also divided by i + 1

 private:
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
