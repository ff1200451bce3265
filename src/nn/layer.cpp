#include "nn/layer.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <memory>
#include <type_traits>

#include "base/error.h"

namespace hone {

namespace {

class LayerNode : public torch::autograd::Node {
 public:
  explicit LayerNode(LayerBackward backward) : backward_(std::move(backward)) {}

  torch::autograd::variable_list apply(torch::autograd::variable_list&& output_grads) override {
    HONE_ASSERT(backward_ != nullptr);
    return backward_(std::move(output_grads));
  }

  void release_variables() override { backward_ = nullptr; }

 private:
  LayerBackward backward_;
};

/// Newer LibTorch (seen in 2.15) holds nodes by intrusive_ptr, older ones (2.11) by shared_ptr.
template <class Node>
auto make_node(LayerBackward backward) {
  if constexpr (std::is_base_of_v<c10::intrusive_ptr_target, Node>) {
    return c10::make_intrusive<Node>(std::move(backward));
  } else {
    return std::make_shared<Node>(std::move(backward));
  }
}

}  // namespace

bool recording(const std::vector<at::Tensor>& inputs) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return true;
  }
  return false;
}

void record(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& outputs, LayerBackward backward) {
  if (!recording(inputs)) return;
  auto node = make_node<LayerNode>(std::move(backward));
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  torch::autograd::set_history(outputs, node);
}

}  // namespace hone
