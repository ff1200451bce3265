#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/class_examples.h"
#include "stages/class_objective.h"
#include "stages/supervised.h"

namespace hone {

/// `problem_type:` of a classify stage; automatic goes by the columns.
enum class ProblemChoice { automatic, single_label, multi_label, regression };
inline constexpr std::array<std::string_view, 4> problem_choice_names = {
    "auto", problem_type_names[0], problem_type_names[1], problem_type_names[2]};

/// Classes of whole texts or of pairs of them, or numbers, by a head on the trunk. See docs/stages/classify.md.
class ClassifySpec : public DataSpec {
 public:
  ProblemChoice problem_type = ProblemChoice::automatic;
  std::vector<std::pair<std::string, double>> class_weights;
  bool balanced = false;
  double label_smoothing = 0;
  LengthLimit length;

  void describe_stage(Fields& f) override;
  /// Leaves the class names in checkpoints/<stage>/labels.json.
  StageStart prepare(Run& run) const override;

 private:
  ClassTargets targets_of(const Run& run, const Dataset& dataset) const;
  ClassLoss loss_of(const Dataset& dataset, const ClassTargets& targets) const;
};

/// The classes, in the order in which the run's model has them when it has a head of that kind for just these.
LabelSet classes_of(const Run& run, const Dataset& data, HeadKind kind);

/// Writes checkpoints/<stage>/labels.json.
void save_labels(const Run& run, const std::string& stage, const LabelSet& labels);

}  // namespace hone
