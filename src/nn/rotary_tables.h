#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "kernels/attention/attention.h"
#include "nn/rope.h"

namespace hone {

/// What one pass turns queries and keys by.
struct RotaryPass {
  kernels::AttentionPlan plan;     ///< with the rows of the tables in position_T
  std::vector<at::Tensor> tables;  ///< of each kind of layer
};

/// The rotary tables of a model, one for each kind of layer. Sequences of more than switch_length tokens turn by other
/// frequencies from their start, which their own length decides: as transformers computes each of them alone. longrope
/// has one other set of frequencies, dynamic one for every length.
class RotaryTables {
 public:
  RotaryTables() = default;
  /// `context`: the model's max_position_embeddings. Error{data} when kinds of layers switch at different lengths.
  RotaryTables(std::vector<RopeScaling> ropes, std::int64_t head_dim, std::int64_t context);

  /// Longest sequence: dynamic reaches `factor` times as far as max_position_embeddings says.
  std::int64_t context() const { return context_; }
  /// As in PolicyShape.
  std::int64_t switch_length() const { return switch_length_; }

  /// Error{data} when a longer sequence grows from pages and every length has its own frequencies: what is cached was
  /// turned by those of another length.
  RotaryPass pass(const kernels::AttentionPlan& plan) const;

 private:
  void append_table(std::int64_t length, std::vector<at::Tensor>& tables) const;

  std::vector<RopeScaling> ropes_;
  std::int64_t head_dim_ = 0;
  std::int64_t context_ = 0;
  std::int64_t switch_length_ = 0;
  bool dynamic_ = false;
  std::vector<at::Tensor> tables_;  ///< shorter sequences; longrope: then as many positions of longer ones
};

}  // namespace hone
