#pragma once

#include "kernels/lm_head/lm_head.h"

namespace hone::kernels {

/// Logits that a forward pass leaves for its backward pass, which computes the others again: of the last rows, as many as
/// 64 MiB hold.
struct KeptLogits {
  at::Tensor logits_KV;  ///< soft-capped; undefined: none
  std::int64_t rows() const { return logits_KV.defined() ? logits_KV.size(0) : 0; }
};

/// lm_head_forward, with what backward is to find in `kept`.
TokenStatistics lm_head_forward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                                double inverse_temperature, bool with_entropy, const LogitRule& rule, KeptLogits& kept);

/// lm_head_backward with the same bits. Overwrites the logits, so each `kept` serves once.
at::Tensor lm_head_backward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                            double inverse_temperature, const TokenStatistics& forward, const at::Tensor& dlogprob_M,
                            const at::Tensor& dentropy_M, at::Tensor& dweight_VD, const LogitRule& rule,
                            at::Tensor* dbias_V, const KeptLogits& kept);

}  // namespace hone::kernels
