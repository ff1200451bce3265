#include "stages/sequence_logprobs.h"

#include <algorithm>
#include <vector>

#include "algo/loss_rows.h"
#include "nn/layers.h"
#include "stages/example_objective.h"
#include "stages/packed_forward.h"

namespace hone {

namespace {

/// Σ of the rows of each sequence, float64.
at::Tensor sums(const at::Tensor& value_M, const at::Tensor& sequence_M, std::int64_t sequences) {
  return at::zeros({sequences}, at::kDouble).index_add(0, sequence_M, value_M.to(at::kDouble));
}

}  // namespace

at::Tensor sequence_logprobs(Model& model, const Batch& batch, const DropoutDraw& dropout) {
  const at::Tensor row_M = at::nonzero(batch.mask_T).squeeze(1);
  const at::Tensor hidden_TD = batch_hidden(model, batch, dropout.probability, dropout.key);
  const kernels::TokenStatistics tokens = model.policy->lm_head().token_statistics(
      take_rows(hidden_TD, row_M), batch.target_T.index_select(0, row_M), 1.0, false);
  return sums(tokens.logprob_M, sequence_of_rows(batch.start_S1).index_select(0, row_M), batch.sequences());
}

at::Tensor sequence_logprobs(Model& model, std::span<const TokenExample> examples, std::int64_t tokens_per_pass) {
  constexpr std::size_t packed_at_once = 1024;
  std::vector<at::Tensor> parts;
  for (std::size_t begin = 0; begin < examples.size(); begin += packed_at_once) {
    const Batch batch = batch_of(examples.subspan(begin, std::min(packed_at_once, examples.size() - begin)));
    const at::Tensor logprob_T = batch_logprobs(model, batch, 1.0, tokens_per_pass);
    parts.push_back(sequence_sums(logprob_T, batch).to(at::kFloat));
  }
  return parts.empty() ? at::empty({0}, at::kFloat) : at::cat(parts);
}

at::Tensor sequence_sums(const at::Tensor& value_T, const Batch& batch) {
  return sums(value_T, sequence_of_rows(batch.start_S1), batch.sequences());
}

at::Tensor counted_tokens(const Batch& batch) { return sequence_sums(batch.mask_T, batch); }

}  // namespace hone
