#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/examples.h"

namespace hone {

/// Solutions as process reward models read them:
///
///     prompt, step, separator, step, separator …      the last id of each separator stands for the step before it
///
/// Each part is encoded apart. The prompt begins with what the tokenizer adds there (a bos token, if any), an empty one
/// with the bos of any tokenizer that has one; steps begin with nothing, and nothing stands at the end. Learned from and
/// asked in the same way.
class StepEncoder {
 public:
  /// Both are borrowed. Error{config} when the separator has no token.
  StepEncoder(const Tokenizer& tokenizer, std::string separator);

  /// `tags` of the rows that stand for steps are their labels, one a step; -1 elsewhere.
  TokenExample encode(std::string_view prompt, std::span<const std::string> steps,
                      std::span<const std::int64_t> labels) const;

 private:
  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> separator_;
};

/// The rows of a split, prompt+completions+labels, cut on the right to the context. Error{data} for a label that `labels`
/// lacks, an empty step, and when no step of any row is left.
EncodedRows encode_steps(const Dataset& data, Split split, const StepEncoder& encoder, std::int64_t context,
                         const LabelSet& labels);

}  // namespace hone
