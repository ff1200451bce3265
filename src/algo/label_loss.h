#pragma once

#include <ATen/ATen.h>

/// Losses of heads that give one row of numbers a sequence: class labels, values, preference pairs. Each is a sum over
/// sequences divided by a denominator from outside (the whole minibatch's), so that micro-batches add up exactly; the
/// result is a float64 scalar that carries the gradient of its first argument.
namespace hone {

/// Cross-entropy: Σ w[y]·(log Σ exp(logits) - logits[y]) / denominator. target_S is int64 within [0, C); weight_C may
/// be undefined (1).
at::Tensor classification_loss(const at::Tensor& logits_SC, const at::Tensor& target_S, const at::Tensor& weight_C,
                               double denominator);
/// Σ w[y]: what classification_loss is divided by; the number of sequences without class weights.
double class_denominator(const at::Tensor& target_S, const at::Tensor& weight_C);

/// Σ (value - target)² / denominator.
at::Tensor squared_error_loss(const at::Tensor& value_S, const at::Tensor& target_S, double denominator);

/// Σ softplus(z) - y·z over denominator: the logistic loss of one logit; labels y in [0, 1].
at::Tensor binary_logistic_loss(const at::Tensor& logit_S, const at::Tensor& label_S, double denominator);

/// Σ -log sigmoid(chosen - rejected - margin) / denominator: a reward model from pairs (Bradley and Terry 1952; the
/// margin as in Touvron et al. 2023, equation 2). margin_P may be undefined (0).
at::Tensor bradley_terry_loss(const at::Tensor& chosen_P, const at::Tensor& rejected_P, const at::Tensor& margin_P,
                              double denominator);

}  // namespace hone
