#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "nn/layers.h"
#include "nn/policy.h"

namespace hone {

/// T5 (Raffel et al. 2020) and its successors with gated feed-forward blocks (T5 1.1, Flan-T5): an encoder and a
/// decoder with RMS norms, one table of relative position biases a stack and unscaled attention. Directories of
/// T5EncoderModel and T5ForTokenClassification hold the encoder alone, which is then the whole policy.
class T5Spec : public PolicySpec {
 public:
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t decoder_layers = 0;
  std::int64_t heads = 4;
  std::int64_t head_dim = 0;
  std::int64_t mlp = 0;
  bool gated = false;
  std::int64_t context = 512;
  std::int64_t buckets = 32;
  std::int64_t max_distance = 128;
  double norm_eps = 1e-6;
  double init_factor = 1;
  bool tied_embeddings = true;
  std::int64_t decoder_start = 0;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override { return model_type == "t5"; }
  void from_hf(const Json& config) override;
  /// The LM head has weights of its own wherever the files have them, whatever config.json says.
  void from_tensors(const std::function<bool(std::string_view hf_name)>& has) override {
    tied_embeddings = !has("lm_head.weight");
  }
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<T5Spec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  Json hf_config() const;
  /// With the defaults that depend on other fields filled in.
  T5Spec resolved() const;
  bool encoder_alone = false;
  std::optional<kernels::Activation> activation;  ///< none: ReLU, or GELU where it is gated
  std::optional<bool> scale_lm_input;             ///< by hidden^-½; none: where the embeddings are tied

 private:
  void read_feed_forward(const Json& config);

  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
