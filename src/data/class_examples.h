#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/labels.h"
#include "data/packing.h"
#include "data/text_encoder.h"

namespace hone {

/// What a head on whole texts learns; the names are those of config.json's `problem_type`.
enum class ProblemType {
  single_label,  ///< one class of several
  multi_label,   ///< each class holds or not
  regression,    ///< a number
};
inline constexpr std::array<std::string_view, 3> problem_type_names = {"single_label_classification",
                                                                       "multi_label_classification", "regression"};

struct ClassTargets {
  ProblemType type = ProblemType::single_label;
  LabelSet classes;  ///< empty for regression
};

/// What rows of the data set are for: by their columns, or what is asked for. Error{data} when the columns do not fit.
ProblemType problem_type_of(const Dataset& data);
void require_problem_type(const Dataset& data, ProblemType type);

/// The classes of the training rows. Error{data} when there are fewer than two (of rows with several labels: one).
LabelSet classes_of(const Dataset& data);

/// One row, in place of the one of that number of the training rows; without ids when it is left out.
TokenExample encode_classified(const Dataset& data, Split split, const DataRow& row, std::int64_t number,
                               TextEncoder& encoder, const ClassTargets& targets);

/// The rows of a split; messages as the chat template writes them. Error{data} with file and line for a class that `targets` lacks and a label that is no number;
/// and when no row is left.
std::vector<TokenExample> encode_classified(const Dataset& data, Split split, TextEncoder& encoder,
                                            const ClassTargets& targets);

/// Words with a tag each: tags stand at the first token of their word. Error{data} for a tag that `tags` lacks, and
/// when no token of any row has one.
std::vector<TokenExample> encode_tagged(const Dataset& data, Split split, const Tokenizer& tokenizer,
                                        TextEncoder& encoder, const LabelSet& tags);

}  // namespace hone
