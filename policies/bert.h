#pragma once

#include <optional>
#include <string>

#include "nn/layers.h"
#include "nn/policy.h"

namespace hone {

/// BERT and its relatives with the same blocks under other names.
enum class BertKind { bert, roberta, distilbert };

/// BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019), DistilBERT (Sanh et al. 2019): encoders with learned positions
/// whose layer norms stand behind the residual sums.
class BertSpec : public PolicySpec {
 public:
  BertKind family = BertKind::bert;
  std::int64_t vocabulary_size = 0;
  std::int64_t hidden = 128;
  std::int64_t layers = 4;
  std::int64_t heads = 4;
  std::int64_t mlp = 0;
  std::int64_t context = 512;
  std::int64_t types = 2;
  double norm_eps = 1e-12;
  double init_std = 0.02;
  bool tied_embeddings = true;

  void describe(Fields& f) override;
  bool accepts(std::string_view model_type) const override {
    return model_type == "bert" || model_type == "roberta" || model_type == "distilbert";
  }
  void from_hf(const Json& config) override;
  std::unique_ptr<PolicySpec> clone() const override { return std::make_unique<BertSpec>(*this); }
  std::unique_ptr<Policy> make(ParameterStore& store, bool with_lm_head) const override;
  std::int64_t& vocabulary() override { return vocabulary_size; }

  Json hf_config() const;
  /// RoBERTa numbers positions from padding id + 1.
  std::int64_t first_position() const { return family == BertKind::roberta ? padding + 1 : 0; }
  std::int64_t padding = 1;
  kernels::Activation activation = kernels::Activation::gelu;

 private:
  std::optional<Json> source_;  ///< the config.json that was read
};

}  // namespace hone
