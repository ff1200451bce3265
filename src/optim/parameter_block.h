#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/parameter_store.h"
#include "optim/optimizer_config.h"

namespace hone {

/// One trained Hugging Face tensor in the arena, or a segment without parts: what rates and decay are given to, and what
/// rules that look at shapes see as one matrix.
struct ParameterBlock {
  std::int64_t begin = 0;  ///< in floats
  std::int64_t end = 0;    ///< past the alignment gap, whose zeros stay zero under every rule
  std::int64_t rows = 0;
  std::int64_t columns = 0;  ///< 1 of a vector
  bool matrix = false;       ///< two-dimensional
  bool hidden = false;       ///< a matrix of one of the trunk's layers, which Muon orthogonalises
  bool critic = false;
  bool decay = false;
  double scale = 1;  ///< of the learning rate
  std::int64_t values() const { return rows * columns; }
  /// In the block's shape.
  at::Tensor view(const at::Tensor& arena) const;
};

/// Neighbouring blocks that a rule treats alike, and where their moments lie.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool critic = false;
  bool decay = false;
  double scale = 1;
  std::int64_t state = 0;  ///< in floats, of the rule's own arenas
  std::int64_t size() const { return end - begin; }
};

/// Every trained value of the store, once, in the arena's order. scale = Segment::lr_scale · the factors of `rates` that
/// match · layer_decay^(layers above); decay = Segment::decay and no pattern of `no_decay`. Error{config} when a pattern
/// names nothing of the store, unless names_must_exist is off.
std::vector<ParameterBlock> parameter_blocks(const ParameterStore& store, const OptimizerConfig& config);

/// The fewest stretches over these blocks; moments are laid end to end in their order.
std::vector<Stretch> join(std::span<const ParameterBlock> blocks);

/// Floats that the stretches cover: the size of an arena of moments.
std::int64_t state_size(std::span<const Stretch> stretches);

/// Calls body(stretch, first, count) for what each of `stretches` has of [begin, end).
template <class Body>
void for_each_part(std::span<const Stretch> stretches, std::int64_t begin, std::int64_t end, const Body& body) {
  auto stretch = std::ranges::partition_point(stretches, [&](const Stretch& before) { return before.end <= begin; });
  for (; stretch != stretches.end() && stretch->begin < end; ++stretch) {
    const std::int64_t first = std::max(begin, stretch->begin);
    body(*stretch, first, std::min(end, stretch->end) - first);
  }
}

}  // namespace hone
