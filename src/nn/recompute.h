#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "nn/parameter_store.h"

namespace hone {

/// A part of a model as a function of tensors: what it draws (dropout) depends on keys alone, so that a second call gives
/// the same bits.
using Part = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& inputs)>;

/// `part(inputs)`. With the store's gradient checkpointing on (Chen et al. 2016), backward keeps the inputs alone and
/// calls `part` again: gradients of inputs and parameters are bit-identical, activations of one part at a time are in
/// memory. Undefined inputs are handed through; outputs are defined.
std::vector<at::Tensor> checkpointed(ParameterStore& store, const std::vector<at::Tensor>& inputs, const Part& part);

}  // namespace hone
