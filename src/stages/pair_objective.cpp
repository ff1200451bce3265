#include "stages/pair_objective.h"

#include "stages/to_batch.h"

namespace hone {

Batch PairObjective::batch(std::span<const std::uint64_t> rows, std::uint64_t) const {
  return to_batch(pack_pairs(examples().train, rows));
}

}  // namespace hone
