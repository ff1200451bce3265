#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "algo/batch.h"

/// Which rows of a packed batch a loss counts, and what each is worth. Shape suffix M: the counted rows, in order.
namespace hone {

/// How the losses of single tokens become one number:
///     token_mean       1/N · Σ ℓ        N tokens of the whole minibatch: every token is worth the same
///     sequence_mean    1/S · Σ_s 1/n_s · Σ ℓ    every sequence is worth the same
///     constant_length  1/(S·L) · Σ ℓ    a constant L in place of n_s (Liu et al. 2025, "Dr. GRPO")
enum class Aggregation { token_mean, sequence_mean, constant_length };
inline constexpr std::array<std::string_view, 3> aggregation_names = {"token_mean", "sequence_mean", "constant_length"};

/// What the sum is divided by: N, S or S·L above. Additive over batches, so a minibatch that is cut into micro-batches
/// (or spread over processes) sums the parts' denominators first and gives every part the total: the parts' losses and
/// gradients then add up to those of the uncut minibatch. A sequence without counted rows does not count.
double loss_denominator(Aggregation aggregation, const at::Tensor& start_S1, const at::Tensor& mask_T,
                        std::int64_t constant_length = 0);

struct LossRows {
  at::Tensor index_M;     ///< int64, the row in the batch
  at::Tensor sequence_M;  ///< int64, the sequence it belongs to
  at::Tensor weight_M;    ///< float64, what the row's loss is multiplied by: weight_T over the denominator's share
  std::int64_t sequences = 0;

  std::int64_t size() const { return index_M.size(0); }
  /// The counted rows of a stream; carries the gradient.
  at::Tensor select(const at::Tensor& stream_T) const { return stream_T.index_select(0, index_M); }
  /// Σ weight·x, as a float64 scalar; carries the gradient.
  at::Tensor weighted_sum(const at::Tensor& x_M) const;
  /// Σ and mean of x over each sequence's counted rows, back at those rows; carry the gradient.
  at::Tensor sequence_sum(const at::Tensor& x_M) const;
  at::Tensor sequence_mean(const at::Tensor& x_M) const;
};

/// `denominator` is the whole minibatch's. Error{data} when it is not positive: every label is masked.
/// weight_T may be undefined.
LossRows loss_rows(Aggregation aggregation, const at::Tensor& start_S1, const at::Tensor& mask_T, double denominator,
                   const at::Tensor& weight_T = {});
inline LossRows loss_rows(Aggregation aggregation, const Batch& batch, double denominator) {
  return loss_rows(aggregation, batch.start_S1, batch.mask_T, denominator, batch.weight_T);
}

/// The sequence of each of the T rows, int64.
at::Tensor sequence_of_rows(const at::Tensor& start_S1);

}  // namespace hone
