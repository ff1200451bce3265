#pragma once

#include <optional>
#include <string>

#include "data/examples.h"

namespace hone {

/// Answers that somebody found good or bad, one sequence each: prompt+completion+label or messages+label, the last turn
/// of the assistant being the answer. The class is 1 where the label is `good`, else 0; `row` is the example's place.
/// Error{data} for an empty answer and for a third label.
EncodedRows encode_judged(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                          const std::string& good, std::optional<Overlong> overlong = std::nullopt);

}  // namespace hone
