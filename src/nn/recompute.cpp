#include "nn/recompute.h"

#include <torch/csrc/autograd/autograd.h>

#include <utility>

#include "base/error.h"
#include "nn/layer.h"

namespace hone {

namespace {

using Tensors = std::vector<at::Tensor>;

/// Computes the part again with a graph of its own and goes back through that.
Tensors backward_again(const Part& part, const Tensors& inputs, const std::vector<bool>& wanted, const Tensors& grads) {
  const at::AutoGradMode with_graph(true);
  Tensors leaves;
  Tensors asked;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    leaves.push_back(inputs[i].defined() ? inputs[i].detach() : at::Tensor());
    if (wanted[i]) asked.push_back(leaves.back().set_requires_grad(true));
  }
  const Tensors outputs = part(leaves);
  HONE_ASSERT(outputs.size() == grads.size());
  Tensors roots;
  Tensors root_grads;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!grads[i].defined() || !outputs[i].requires_grad()) continue;
    roots.push_back(outputs[i]);
    root_grads.push_back(grads[i]);
  }
  Tensors found = torch::autograd::grad(roots, asked, root_grads, false, false, /*allow_unused=*/true);
  Tensors result;
  auto next = found.begin();
  for (const bool is_wanted : wanted) result.push_back(is_wanted ? std::move(*next++) : at::Tensor());
  return result;
}

}  // namespace

Tensors checkpointed(ParameterStore& store, const Tensors& inputs, const Part& part) {
  if (!store.gradient_checkpointing() || !recording(inputs)) return part(inputs);
  Tensors kept;
  std::vector<bool> wanted;
  for (const at::Tensor& input : inputs) {
    wanted.push_back(input.defined() && input.requires_grad());
    kept.push_back(input.defined() ? input.detach() : input);
  }
  Tensors outputs;
  {
    const at::NoGradGuard no_graph;
    outputs = part(kept);
    for (at::Tensor& output : outputs) output = output.detach();  // what is kept must not get a history
  }
  record(inputs, outputs,
         [&store, use = store.adapter_use(), part, kept = std::move(kept), wanted = std::move(wanted)](Tensors grads) -> Tensors {
           const AdapterUse now = store.adapter_use();
           store.use_adapters(use);
           Tensors result = backward_again(part, kept, wanted, grads);
           store.use_adapters(now);
           return result;
         });
  return outputs;
}

}  // namespace hone
