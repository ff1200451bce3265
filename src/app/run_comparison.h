#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "metrics/resampling.h"
#include "report/record/run_record.h"

namespace hone {

/// The last value of a metric in each of two runs.
struct ComparedMetric {
  std::string stage;
  std::string name;
  std::optional<double> first, second;
};

/// Scores of the same held-out prompts in both runs, after the stage.
struct ComparedScores {
  std::string stage;
  std::size_t prompts = 0;
  PairedDifference scores;
};

struct RunComparison {
  std::vector<ComparedMetric> metrics;  ///< of the stages of the first run, then of those that only the second has
  std::vector<ComparedScores> scores;   ///< of stages whose last evaluations recorded at least two common prompts
};

/// Metrics side by side, and where both runs recorded held-out samples (samples.jsonl) the difference of their rewards
/// with its interval, prompts paired by their text; of several samples of a prompt the first counts, failed ones do not.
RunComparison compare_runs(const RunRecord& first, const RunRecord& second);

/// Tables for people: "stage  metric  A  B  difference".
std::string comparison_text(const RunComparison& comparison, const std::string& first, const std::string& second);
Json to_json(const RunComparison& comparison);

}  // namespace hone
