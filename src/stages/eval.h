#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stages/evaluation.h"
#include "stages/language_model.h"
#include "stages/stage.h"

namespace hone {

/// Measures the current weights and leaves them alone: by generation in an environment, by likelihood of a data set, or
/// both. See docs/stages/eval.md.
class EvalSpec : public StageSpec {
 public:
  EvaluationConfig generation;
  std::optional<std::string> data;
  std::int64_t rows = 1000;
  std::int64_t tokens_per_pass = 8192;
  std::int64_t samples = 8;

  void describe_stage(Fields& f) override;
  std::vector<std::string> data_names() const override;
  std::span<const std::unique_ptr<RewardSpec>> rewards() const override { return generation.rewards; }
  StageArithmetic arithmetic() const override;
  StageStart prepare(Run& run) const override;

 private:
  MetricValues generate(Run& run, StageSummary& summary) const;
  StageSummary measure(Run& run, std::span<const TokenExample> examples) const;
  std::vector<TokenExample> measured_rows(Run& run) const;
  MetricValues measure_data(Run& run, std::span<const TokenExample> examples, StageSummary& summary) const;
};

}  // namespace hone
