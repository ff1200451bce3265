#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "base/fields.h"
#include "kernels/attention_oracle.h"
#include "nn/layers.h"
#include "nn/model.h"
#include "policies/bert.h"
#include "policies/gemma.h"
#include "policies/gpt2.h"
#include "policies/gpt_neox.h"
#include "policies/llama.h"
#include "policies/modernbert.h"
#include "policies/moe.h"
#include "policies/phi3.h"
#include "policies/t5.h"
#include "stages/model_directory.h"

/// What the tests of policies share: model directories opened as hone opens them, and passes over whole sequences.
namespace hone::test {

using Ids = std::vector<std::int32_t>;

template <class Spec>
std::unique_ptr<Component> made_by() {
  return std::make_unique<Spec>();
}

inline const Catalogs& policy_table() {
  static const Catalogs table = [] {
    Catalogs made;
    made.add<PolicySpec>({"policy",
                          {{"llama", "", made_by<LlamaSpec>},
                           {"phi3", "", made_by<Phi3Spec>},
                           {"gemma", "", made_by<GemmaSpec>},
                           {"moe", "", made_by<MoeSpec>},
                           {"gpt2", "", made_by<Gpt2Spec>},
                           {"gpt_neox", "", made_by<GptNeoxSpec>},
                           {"bert", "", made_by<BertSpec>},
                           {"modernbert", "", made_by<ModernBertSpec>},
                           {"t5", "", made_by<T5Spec>}}});
    return made;
  }();
  return table;
}

/// A trainable model with the weights of the directory.
inline std::unique_ptr<Model> open_model(const std::filesystem::path& directory,
                                         kernels::Compute compute = kernels::Compute::float32) {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, policy_table());
  auto model = std::make_unique<Model>(*spec, read_head_plan(directory), compute, true);
  load_weights(*model, directory);
  return model;
}

/// Hidden states [T, D] of the sequences packed end to end.
inline at::Tensor hidden_of(Model& model, const std::vector<Ids>& sequences) {
  Ids all;
  std::vector<std::int32_t> lengths;
  for (const Ids& ids : sequences) {
    all.insert(all.end(), ids.begin(), ids.end());
    lengths.push_back(static_cast<std::int32_t>(ids.size()));
  }
  const kernels::AttentionPlan plan = plan_of(lengths);
  return model.policy->hidden(int_tensor(all), {.plan = &plan});
}

inline at::Tensor logits_of(Model& model, const at::Tensor& hidden_TD) {
  return model.policy->lm_head().logits(hidden_TD.detach());
}

/// Logits [T, V] of one sequence.
inline at::Tensor logits_of(Model& model, const Ids& ids) {
  const at::NoGradGuard no_grad;
  return logits_of(model, hidden_of(model, {ids}));
}

/// Log-probability and entropy of each next token, [T - 1]; differentiable.
inline kernels::TokenStatistics next_token_statistics(Model& model, const Ids& ids) {
  const auto last = static_cast<std::int64_t>(ids.size()) - 1;
  const at::Tensor hidden_MD = take_rows(hidden_of(model, {ids}), at::arange(last, at::kLong));
  const at::Tensor target_M = int_tensor(ids).slice(0, 1).to(at::kLong);
  return model.policy->lm_head().token_statistics(hidden_MD, target_M, 1.0, true);
}

}  // namespace hone::test
