#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace hone {

/// Counts [C, C], int64: row the label, column the prediction. Additive over batches. Both int64 within [0, classes).
at::Tensor confusion_matrix(const at::Tensor& predicted_S, const at::Tensor& label_S, std::int64_t classes);

/// Macro figures are plain means over the classes that occur as label or prediction; a class without predictions has
/// precision 0, one without labels recall 0. All are 0 for an empty matrix.
struct LabelMetrics {
  double accuracy = 0;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};
LabelMetrics label_metrics(const at::Tensor& confusion_CC);

}  // namespace hone
