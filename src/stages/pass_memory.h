#pragma once

#include <cstdint>

#include "nn/model.h"

namespace hone {

/// What one forward and backward pass takes at its peak beside weights and gradients: a fixed part, and a part for each
/// of its tokens.
struct PassMemory {
  double fixed = 0;
  double per_token = 0;
  std::int64_t bytes(std::int64_t tokens) const;
};

/// How a pass is measured.
struct PassTrial {
  bool recompute = false;     ///< with gradient checkpointing
  double dropout = 0;
  std::int64_t longest = 0;   ///< tokens of the longest sequence; at least 1
};

/// Measures two small passes of the model on tokens without a meaning, with every head that it has. Its gradients,
/// which must be zero, are zero again; nothing else changes.
PassMemory measure_pass(Model& model, const PassTrial& trial);

/// The most bytes that tensors made in this thread since then took at the same time, less what was let go. One at a time.
class TensorPeak {
 public:
  TensorPeak();
  ~TensorPeak();
  TensorPeak(const TensorPeak&) = delete;
  TensorPeak& operator=(const TensorPeak&) = delete;
  std::int64_t bytes() const;

 private:
  struct Counter;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hone
