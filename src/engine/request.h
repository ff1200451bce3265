#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "text/constraint/constraint.h"

namespace hone {

/// One completion to generate. Its random numbers are addressed by (key, prompt_id, sample, position) alone, so it does
/// not depend on what else is in the batch.
struct Request {
  /// Ids that the completion continues. Encoder-decoder models begin every target with an id of their own, which comes
  /// before these: there it may be empty, elsewhere never.
  std::vector<std::int32_t> context;
  std::uint64_t key = 0;  ///< stream of the run, the purpose and the visit
  std::uint64_t prompt_id = 0;
  std::uint32_t sample = 0;
  std::uint32_t first_position = 0;              ///< tokens already drawn for this episode in earlier turns
  std::vector<std::int32_t> source;              ///< encoder-decoder: what the encoder reads, never empty; else empty
  std::shared_ptr<const Constraint> constraint;  ///< what the text must match; null: anything
  /// Ids at the end of the context that an earlier call drew of this very completion: the text begins with them, and limits,
  /// penalties, stop texts and the constraint count them. The completion holds what is drawn behind them.
  std::uint32_t written = 0;
  std::int64_t budget = 0;  ///< tokens after which the completion is left for a later call (finish: abort); 0: none
};

}  // namespace hone
