#include "algo/loss_rows.h"

#include "base/error.h"

namespace hone {
namespace {

/// Counted rows of each sequence, float64 [S].
at::Tensor rows_of_sequences(const at::Tensor& sequence_M, std::int64_t sequences) {
  return at::zeros({sequences}, at::kDouble).index_add(0, sequence_M, at::ones({sequence_M.size(0)}, at::kDouble));
}

at::Tensor counted_rows(const at::Tensor& mask_T) { return mask_T.nonzero().view({-1}); }

}  // namespace

at::Tensor sequence_of_rows(const at::Tensor& start_S1) {
  const auto start = start_S1.to(at::kLong);
  return at::repeat_interleave(start.diff());
}

double loss_denominator(Aggregation aggregation, const at::Tensor& start_S1, const at::Tensor& mask_T,
                        std::int64_t constant_length) {
  const auto index = counted_rows(mask_T);
  if (aggregation == Aggregation::token_mean) return static_cast<double>(index.size(0));
  const auto rows = rows_of_sequences(sequence_of_rows(start_S1).index_select(0, index), start_S1.size(0) - 1);
  const auto sequences = static_cast<double>(rows.count_nonzero().item<std::int64_t>());
  if (aggregation == Aggregation::sequence_mean) return sequences;
  HONE_ASSERT(constant_length > 0);
  return sequences * static_cast<double>(constant_length);
}

LossRows loss_rows(Aggregation aggregation, const at::Tensor& start_S1, const at::Tensor& mask_T, double denominator,
                   const at::Tensor& weight_T) {
  HONE_ASSERT(mask_T.dim() == 1 && start_S1[-1].item<std::int64_t>() == mask_T.size(0));
  if (!(denominator > 0)) {
    fail(ErrorKind::data,
         "no token of the minibatch counts towards the loss (denominator {}): every label is masked; check the loss "
         "mask, the prompt/completion columns and whether every reward failed",
         denominator);
  }
  LossRows rows;
  rows.sequences = start_S1.size(0) - 1;
  rows.index_M = counted_rows(mask_T);
  rows.sequence_M = sequence_of_rows(start_S1).index_select(0, rows.index_M);
  rows.weight_M = at::full({rows.size()}, 1.0 / denominator, at::kDouble);
  if (aggregation == Aggregation::sequence_mean) {
    rows.weight_M /= rows_of_sequences(rows.sequence_M, rows.sequences).index_select(0, rows.sequence_M);
  }
  if (weight_T.defined()) rows.weight_M *= rows.select(weight_T).to(at::kDouble);
  return rows;
}

at::Tensor LossRows::weighted_sum(const at::Tensor& x_M) const {
  HONE_ASSERT(x_M.sizes() == index_M.sizes());
  return (x_M.to(at::kDouble) * weight_M).sum();
}

at::Tensor LossRows::sequence_sum(const at::Tensor& x_M) const {
  const auto sum_S = at::zeros({sequences}, x_M.options().requires_grad(false)).index_add(0, sequence_M, x_M);
  return sum_S.index_select(0, sequence_M);
}

at::Tensor LossRows::sequence_mean(const at::Tensor& x_M) const {
  return sequence_sum(x_M) / sequence_sum(at::ones_like(x_M.detach()));
}

}  // namespace hone
