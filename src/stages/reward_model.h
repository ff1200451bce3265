#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stages/supervised.h"

namespace hone {

/// What answers are worth: one score a text, learned from pairs (which answer is better) or from labelled rows (which class
/// is good); several scores, from rows or pairs that judge several respects; or a class for each step of a solution. The
/// rows decide. See docs/stages/reward_model.md.
class RewardModelSpec : public DataSpec {
 public:
  std::optional<std::string> positive;
  double centering = 0;
  std::vector<std::pair<std::string, double>> weights;
  std::string step_separator = "\n";

  void describe_stage(Fields& f) override;
  /// A model of steps leaves the names of their classes in checkpoints/<stage>/labels.json.
  StageStart prepare(Run& run) const override;

 private:
  void refuse_unused(const Dataset& dataset, bool pairs, bool several) const;
  /// With the head that it needs.
  std::unique_ptr<Objective> several_scores(Run& run, const Dataset& dataset, HeadPlan& plan) const;
  StageStart prepare_steps(Run& run, const Dataset& dataset) const;
};

}  // namespace hone
