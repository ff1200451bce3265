#pragma once

#include <memory>

#include "data/class_examples.h"
#include "stages/example_objective.h"

namespace hone {

/// How classes count.
struct ClassLoss {
  at::Tensor weight_C;  ///< float32; undefined: 1
  double label_smoothing = 0;
};

/// What a head on whole texts learns and is measured by:
///     one class        cross-entropy; eval/accuracy, means over classes (plain and by support), mcc, f1 of each class
///     several at once  a logistic loss a class, averaged; eval/accuracy (every label right), f1 over all, means, each
///     a number         squared error; eval/mae, r2, pearson, spearman (left out where a side is constant)
std::unique_ptr<ExampleObjective> class_objective(Run& run, LearnableRows rows, std::int64_t tokens_per_pass,
                                                  const ClassTargets& targets, ClassLoss loss);

}  // namespace hone
