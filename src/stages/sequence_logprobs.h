#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "data/packing.h"
#include "stages/training.h"

/// Log-probabilities of whole answers: sums over the tokens that the mask counts. Shape suffix S: one a sequence.
namespace hone {

/// Float64; carries the gradient.
at::Tensor sequence_logprobs(Model& model, const Batch& batch, const DropoutDraw& dropout);

/// Float32, without gradient, a bounded number of tokens at a time: what a frozen reference gives to many examples.
at::Tensor sequence_logprobs(Model& model, std::span<const TokenExample> examples, std::int64_t tokens_per_pass);

/// Sums of a [T] stream over the rows that each sequence has, float64.
at::Tensor sequence_sums(const at::Tensor& value_T, const Batch& batch);

/// How many tokens the mask counts, float64.
at::Tensor counted_tokens(const Batch& batch);

}  // namespace hone
