#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "algo/batch.h"
#include "flow/types.h"
#include "nn/model.h"

namespace hone {

/// Cuts sequences into runs of at most `tokens` rows (or one longer sequence), keeping their order.
std::vector<std::vector<std::int64_t>> cut_by_tokens(const Batch& batch, std::span<const std::int64_t> sequences,
                                                     std::int64_t tokens);

/// The same of all sequences of the batch.
std::vector<std::vector<std::int64_t>> cut_by_tokens(const Batch& batch, std::int64_t tokens);

/// Hidden states [T, D] of a batch under `model`; router_logits and embedding_noise_TD as in Forward.
at::Tensor batch_hidden(Model& model, const Batch& batch, double dropout = 0, std::uint64_t dropout_key = 0,
                        std::vector<at::Tensor>* router_logits = nullptr, const at::Tensor& embedding_noise_TD = {});

/// Log-probability of each target that the mask counts, 0 elsewhere: [T]. No gradient; `tokens_per_pass` at a time.
at::Tensor batch_logprobs(Model& model, const Batch& batch, double inverse_temperature, std::int64_t tokens_per_pass);

/// Gives completions that came without them their log-probabilities under `model`. No gradient.
void fill_logprobs(Model& model, std::span<Episode> episodes, double inverse_temperature, std::int64_t tokens_per_pass);

/// The value head at every row: [T]. No gradient.
at::Tensor batch_values(Model& model, const Batch& batch, std::int64_t tokens_per_pass);

/// Both of a model whose value head shares the trunk, in one pass.
struct LogprobsAndValues {
  at::Tensor logprob_T, value_T;
};
LogprobsAndValues batch_logprobs_and_values(Model& model, const Batch& batch, double inverse_temperature,
                                            std::int64_t tokens_per_pass);

/// The score head at the rows that it reads: [S, outputs], or [T, outputs] of a head for tokens. No gradient.
at::Tensor batch_scores(Model& model, const Batch& batch, std::int64_t tokens_per_pass);

}  // namespace hone
