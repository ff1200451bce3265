#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hone {

/// Counts of (label, prediction) pairs over a fixed set of classes.
class ConfusionMatrix {
 public:
  /// classes ≥ 1.
  explicit ConfusionMatrix(std::size_t classes) : classes_(classes), counts_(classes * classes, 0) {}
  /// Both in [0, classes), of equal length.
  ConfusionMatrix(std::span<const std::int64_t> labels, std::span<const std::int64_t> predictions, std::size_t classes);

  void add(std::int64_t label, std::int64_t prediction, std::int64_t count = 1);
  std::size_t classes() const { return classes_; }
  std::int64_t count(std::size_t label, std::size_t prediction) const { return counts_[label * classes_ + prediction]; }
  std::int64_t labels(std::size_t of_class) const;
  std::int64_t predictions(std::size_t of_class) const;
  std::int64_t hits() const;
  std::int64_t total() const;

 private:
  std::size_t classes_;
  std::vector<std::int64_t> counts_;
};

/// A precision without predictions and a recall without labels are 0, as is F₁ without either.
struct ClassScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  std::int64_t support = 0;  ///< labels of the class
};

struct ClassificationScores {
  double accuracy = 0;
  ClassScores micro;     ///< over all pairs: all equal the accuracy where each row has one label
  ClassScores macro;     ///< plain means over the classes that occur as label or prediction
  ClassScores weighted;  ///< means by support
  std::vector<ClassScores> per_class;
  /// Matthews' correlation for any number of classes (Gorodkin 2004); 0 when one side is constant.
  double mcc = 0;
  /// Cohen's kappa; 0 when chance alone agrees.
  double kappa = 0;
};

/// Equal to scikit-learn's with zero_division=0. All are 0 for an empty matrix.
ClassificationScores classification_scores(const ConfusionMatrix& matrix);

/// Of texts with several labels at once: row-major [rows, classes] 0/1. Micro and macro over all classes; `accuracy` is
/// the share of rows with every label right. mcc and kappa stay 0.
ClassificationScores multi_label_scores(std::span<const std::uint8_t> labels, std::span<const std::uint8_t> predictions,
                                        std::size_t classes);

}  // namespace hone
