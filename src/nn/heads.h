#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>

#include "nn/layers.h"
#include "nn/parameter_store.h"

namespace hone {

enum class HeadKind {
  value,   ///< one critic value a row; starts at zero, with a bias
  reward,  ///< one score a sequence; normal with deviation 1/sqrt(hidden + 1), no bias
  classes  ///< logits a sequence; normal with deviation 1/sqrt(hidden + 1), no bias
};

/// A linear layer from hidden states to `outputs` numbers.
class Head {
 public:
  /// Declares the head's segments ("score", and "score.bias" where it has one). Hugging Face's sequence
  /// classification models call the same matrix score.weight.
  Head(ParameterStore& store, HeadKind kind, std::int64_t hidden, std::int64_t outputs);

  /// hidden_MD → [M, outputs].
  at::Tensor operator()(const at::Tensor& hidden_MD) const { return linear(hidden_MD, weight_, bias_); }
  HeadKind kind() const { return kind_; }
  std::int64_t outputs() const { return outputs_; }

 private:
  HeadKind kind_;
  std::int64_t outputs_;
  Parameter weight_, bias_;
};

}  // namespace hone
