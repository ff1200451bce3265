#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>
#include <utility>
#include <vector>

namespace hone {

/// Gradients of a layer's outputs in, gradients of its inputs out; either may hold undefined tensors for "none".
using LayerBackward = std::function<std::vector<at::Tensor>(std::vector<at::Tensor> output_grads)>;

/// Makes `outputs` the result of one layer: a single node of the autograd graph whose backward is hand-written. LibTorch's
/// autograd only chains these nodes. Gradients of parameters do not travel through the graph: `backward` adds them to
/// the store's arena itself.
///
/// Does nothing when gradients are off or no input needs one. What `backward` captures must not include `outputs`
/// themselves (a cycle that would never be freed): capture `.detach()`ed aliases. It is released after one backward pass.
void record(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& outputs, LayerBackward backward);

/// Whether `record` would do anything: lets a layer skip what only its backward needs.
bool recording(const std::vector<at::Tensor>& inputs);

}  // namespace hone
