#pragma once

/// Soft caps and relative position biases of one row of 32 scores. Included by `*_cpu.cpp` only.

#include <stdint.h>

#include "kernels/attention/attention_block.h"
#include "kernels/attention/attention_cpu.h"
#include "kernels/vector_math.h"

/// Whether scores are more than scaled products.
static inline bool shapes_scores(const hone::kernels::AttentionArguments& arguments) {
  return arguments.soft_cap > 0.0F || arguments.bias != nullptr;
}

/// Index of the bias of a key `distance` positions after the query.
static inline int64_t bias_index(int64_t distance, int64_t reach) {
  return (distance < -reach ? -reach : distance > reach ? reach : distance) + reach;
}

/// Biases of the vector_lanes keys from `distance` positions after the query on; `bias` is the row of a head.
static inline Floats bias_vector(const float* bias, int64_t reach, int64_t distance) {
  if (distance >= -reach && distance + vector_lanes - 1 <= reach) return load_floats(bias + distance + reach);
  if (distance >= reach) return broadcast(bias[2 * reach]);
  if (distance + vector_lanes - 1 <= -reach) return broadcast(bias[0]);
  Floats value = {};
  for (int64_t i = 0; i < vector_lanes; ++i) value[i] = bias[bias_index(distance + i, reach)];
  return value;
}

/// Turns 32 products q·k in place into scaled, capped and biased scores. `distance`: position of the block's first key
/// minus that of the query; `slope` (null: not wanted) gets d capped / d scaled.
static inline void shape_scores(const hone::kernels::AttentionArguments& arguments, int64_t head, int64_t distance,
                                float* score, float* slope) {
  const int64_t reach = arguments.bias_reach;
  const float* bias = arguments.bias == nullptr ? nullptr : arguments.bias + head * (2 * reach + 1);
  for (int64_t v = 0; v < block_vectors; ++v) {
    Floats value = load_floats(score + v * vector_lanes) * arguments.scale;
    if (arguments.soft_cap > 0.0F) {
      const Floats capped = tanh_floats(value * (1.0F / arguments.soft_cap));
      if (slope != nullptr) store_floats(slope + v * vector_lanes, 1.0F - capped * capped);
      value = capped * arguments.soft_cap;
    }
    if (bias != nullptr) value += bias_vector(bias, reach, distance + v * vector_lanes);
    store_floats(score + v * vector_lanes, value);
  }
}

/// Adds the gradients of 32 scores to those of their biases.
static inline void add_bias_gradient(const float* dscore, int64_t reach, int64_t distance, float* dbias) {
  for (int64_t v = 0; v < block_vectors; ++v) {
    const float* from = dscore + v * vector_lanes;
    const int64_t first = distance + v * vector_lanes;
    if (first >= -reach && first + vector_lanes - 1 <= reach) {
      float* to = dbias + first + reach;
      store_floats(to, load_floats(to) + load_floats(from));
    } else {
      for (int64_t i = 0; i < vector_lanes; ++i) dbias[bias_index(first + i, reach)] += from[i];
    }
  }
}
