#pragma once

#include <ATen/ATen.h>

/// Losses over vectors of texts. Suffixes: P pairs of a batch, N candidates, D dimensions. Each gives a float64 scalar
/// that carries the gradient of the vectors.
namespace hone {

/// Rows to length 1; shorter ones than 1e-12 are divided by that (as torch's `normalize`).
at::Tensor unit_rows(const at::Tensor& vector_ND);

/// Which candidate belongs to each anchor, by a softmax over all of them:
///     1/P · Σ_p -log( exp(scale · a_p·c_p) / Σ_n exp(scale · a_p·c_n) )
/// The first P candidates are the anchors' positives, in their order; the rest (hard negatives of any of them) are
/// wrong for all. InfoNCE (van den Oord et al. 2018, equation 4), with dot products the multiple-negatives ranking of
/// Henderson et al. 2017 (section 4.4), with unit vectors and scale 1/τ equations 1 and 5 of SimCSE (Gao et al. 2021).
/// `scale` is a float64 scalar and may carry a gradient.
at::Tensor info_nce_loss(const at::Tensor& anchor_PD, const at::Tensor& candidate_ND, const at::Tensor& scale);

/// Share of anchors whose own positive has the greatest product of all candidates; a tie is a miss.
double retrieval_accuracy(const at::Tensor& anchor_PD, const at::Tensor& candidate_ND);

/// Pairs in the order of their values (CoSENT, Su 2022):
///     log(1 + Σ_{value_i > value_j} exp(scale · (similarity_j - similarity_i)))
at::Tensor cosent_loss(const at::Tensor& similarity_P, const at::Tensor& value_P, double scale);

/// 1/P · Σ (similarity - target)².
at::Tensor similarity_error_loss(const at::Tensor& similarity_P, const at::Tensor& target_P);

}  // namespace hone
