#pragma once

#include <ATen/ATen.h>

/// Losses of heads that give one row of numbers a sequence: class labels, values, preference pairs. Each is a sum over
/// sequences divided by a denominator from outside (the whole minibatch's), so that micro-batches add up exactly; the
/// result is a float64 scalar that carries the gradient of its first argument.
namespace hone {

/// Cross-entropy: Σ w[y]·(log Σ exp(logits) - logits[y]) / denominator. target_S is int64 within [0, C); weight_C may
/// be undefined (1). With label smoothing ε the label is worth 1 - ε, and every class ε/C more (Szegedy et al. 2016):
///     Σ (1 - ε)·w[y]·ℓ[y] + ε/C · Σ_c w[c]·ℓ[c],   ℓ = -log softmax(logits)
at::Tensor classification_loss(const at::Tensor& logits_SC, const at::Tensor& target_S, const at::Tensor& weight_C,
                               double denominator, double label_smoothing = 0);
/// Σ w[y]: what classification_loss is divided by; the number of sequences without class weights.
double class_denominator(const at::Tensor& target_S, const at::Tensor& weight_C);

/// Σ w[c]·y·softplus(-z) + (1 - y)·softplus(z) over rows and classes / denominator: every class a yes or no of its own.
/// target_SC is 0 or 1; weight_C weighs what holds and may be undefined (1).
at::Tensor multi_label_loss(const at::Tensor& logits_SC, const at::Tensor& target_SC, const at::Tensor& weight_C,
                            double denominator);

/// Cross-entropy over the places of each sequence, the mean of where an answer begins and where it ends:
///     Σ_s ½·(-log softmax(begin of s)[span_s0] - log softmax(end of s)[span_s1]) / denominator
/// logits_T2 are rows of packed sequences, span_S2 (int64) rows among them.
at::Tensor span_loss(const at::Tensor& logits_T2, const at::Tensor& span_S2, const at::Tensor& start_S1,
                     double denominator);

/// Σ (value - target)² / denominator.
at::Tensor squared_error_loss(const at::Tensor& value_S, const at::Tensor& target_S, double denominator);

/// Several numbers a sequence, K attributes of which each row knows some: Σ_k w[k]·Σ (value - target)² over the targets that
/// are known (NaN: it is not) / denominator. weight_K is float32. attribute_denominator is Σ_k w[k]·(targets known of k).
at::Tensor attribute_loss(const at::Tensor& value_SK, const at::Tensor& target_SK, const at::Tensor& weight_K,
                          double denominator);
double attribute_denominator(const at::Tensor& target_SK, const at::Tensor& weight_K);

/// Pairs judged in K respects: side_PK is above 0 where the chosen answer is the better one, below 0 where the rejected one
/// is, and 0 or NaN where the pair says nothing.
///     Σ_k w[k]·Σ -log sigmoid(sign(side)·(chosen - rejected)) / denominator
/// respect_denominator is Σ_k w[k]·(pairs that say something of k).
at::Tensor respect_loss(const at::Tensor& chosen_PK, const at::Tensor& rejected_PK, const at::Tensor& side_PK,
                        const at::Tensor& weight_K, double denominator);
double respect_denominator(const at::Tensor& side_PK, const at::Tensor& weight_K);

/// Σ softplus(z) - y·z over denominator: the logistic loss of one logit; labels y in [0, 1].
at::Tensor binary_logistic_loss(const at::Tensor& logit_S, const at::Tensor& label_S, double denominator);

/// Σ -log sigmoid(chosen - rejected - margin) / denominator: a reward model from pairs (Bradley and Terry 1952; the
/// margin as in Touvron et al. 2023, equation 2). margin_P may be undefined (0).
at::Tensor bradley_terry_loss(const at::Tensor& chosen_P, const at::Tensor& rejected_P, const at::Tensor& margin_P,
                              double denominator);

/// Σ (chosen + rejected)² / denominator: keeps the scores of a reward model, which pairs fix up to a constant, around 0
/// (Eisenstein et al. 2023).
at::Tensor centering_loss(const at::Tensor& chosen_P, const at::Tensor& rejected_P, double denominator);

}  // namespace hone
