#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stages/stage.h"
#include "stages/training.h"

namespace hone {

/// A stage that learns from rows by the loop of training.h and is measured on held-out rows: what all of them have in
/// the file beside their own fields.
class SupervisedSpec : public StageSpec {
 public:
  TrainingConfig training;
  HeldOutConfig evaluation;

  StageArithmetic arithmetic() const override { return training.arithmetic(); }

 protected:
  /// The settings of the loop, and of `evaluation` with what it measures.
  void describe_training(Fields& f, std::string_view measured) {
    training.describe(f);
    f.section("evaluation", evaluation, measured);
  }
  /// For a stage that reads its rows once: Error{config} when they are to be altered in each epoch.
  void require_fixed_rows(Run& run) const {
    for (const std::string& data : data_names()) {
      if (run.dataset(data)->alters()) refuse_redrawn_rows(data);
    }
  }
  StageSummary learn(Run& run, Objective& objective) const {
    return Training(run, training, evaluation.interval, name, objective).run();
  }
};

/// One whose rows are those of a data set.
class DataSpec : public SupervisedSpec {
 public:
  std::string data;

  std::vector<std::string> data_names() const override { return {data}; }

 protected:
  /// `data`, with what its rows are.
  void describe_data(Fields& f, std::string_view rows) {
    f.field("data", data, rows);
    f.required();
  }
};

}  // namespace hone
