#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "nn/layers.h"

namespace hone {

/// A mixture of experts (Shazeer et al. 2017; Jiang et al. 2024): each row goes through the `top_k` experts whose router
/// logits are greatest, and their outputs are weighted by the softmax of all logits.
struct Moe {
  Parameter router_ED;
  std::vector<Mlp> experts;
  std::int64_t top_k = 2;
  bool normalize = true;  ///< the weights of the chosen experts sum to one
};

/// Rows are independent of each other, as in every layer. Appends the router's logits [T, E] to `router_logits` unless
/// that is null.
at::Tensor moe(const at::Tensor& x_TD, const Moe& config, std::vector<at::Tensor>* router_logits);

/// Load-balancing loss over all layers' rows (Fedus et al. 2021, equations 4–6, with k choices a row): E · Σ_e f_e · P_e,
/// f_e the share of rows that chose e (summed over the k choices), P_e the mean probability. Differentiable through P. A
/// product of means: that of a batch is not the mean of its parts', so what it says depends on how a batch is cut.
at::Tensor load_balancing_loss(const std::vector<at::Tensor>& router_logits, std::int64_t top_k);

}  // namespace hone
