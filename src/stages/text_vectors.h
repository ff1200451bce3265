#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "predict/pooling.h"
#include "stages/packed_forward.h"
#include "stages/training.h"

namespace hone {

/// The vectors of packed sequences, [S, D] or, of several modes, [S, modes · D]: what `pool` gives, for all tokens of
/// each sequence; carries the gradient.
at::Tensor pooled(const PoolingPlan& plan, const at::Tensor& hidden_TD, const at::Tensor& start_S1);

/// The vectors of a batch's texts under `model`; carries the gradient.
at::Tensor text_vectors(Model& model, const PoolingPlan& plan, const Batch& batch, const DropoutDraw& dropout);

/// The same without gradient and dropout, `tokens_per_pass` at a time.
at::Tensor text_vectors(Model& model, const PoolingPlan& plan, const Batch& batch, std::int64_t tokens_per_pass);

}  // namespace hone
