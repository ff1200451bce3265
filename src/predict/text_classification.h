#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace hone {

/// The names in `id2label` of a config.json; empty where there is none. Error{data} naming `source` when the numbers are not
/// 0 … n-1.
std::vector<std::string> stored_labels(const Json& config, std::string_view source);

/// The label names of a config.json: `id2label`, or LABEL_0 … where there is none (`num_labels`, by default two).
/// Error{data} naming `source` when the numbers are not 0 … n-1.
std::vector<std::string> read_labels(const Json& config, std::string_view source);

/// What makes scores of logits.
enum class ScoreFunction { softmax, sigmoid, none };

/// As transformers chooses it from `problem_type` and the number of labels: regression none, several labels at once or
/// a single label sigmoid, else softmax. Error{data} naming `source` for an unknown problem_type.
ScoreFunction score_function(const Json& config, std::size_t labels, std::string_view source);

struct LabelScore {
  std::string label;
  float score = 0;
};

/// The `top_k` best labels (0: all), best first. One logit a label: Error{data}.
std::vector<LabelScore> classify_text(std::span<const float> logits, std::span<const std::string> labels,
                                      ScoreFunction function, std::size_t top_k);

/// [{"label", "score"}, …]
Json to_json(std::span<const LabelScore> scores);

}  // namespace hone
