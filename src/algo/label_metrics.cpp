#include "algo/label_metrics.h"

#include "base/error.h"

namespace hone {

at::Tensor confusion_matrix(const at::Tensor& predicted_S, const at::Tensor& label_S, std::int64_t classes) {
  HONE_ASSERT(predicted_S.sizes() == label_S.sizes());
  const auto cell = label_S.to(at::kLong) * classes + predicted_S.to(at::kLong);
  return at::bincount(cell, {}, classes * classes).view({classes, classes});
}

LabelMetrics label_metrics(const at::Tensor& confusion_CC) {
  HONE_ASSERT(confusion_CC.dim() == 2 && confusion_CC.size(0) == confusion_CC.size(1));
  const auto counts = confusion_CC.to(at::kDouble);
  const auto hits = counts.diagonal(), labels = counts.sum(1), predictions = counts.sum(0);
  const auto present = (labels + predictions) > 0;
  LabelMetrics metrics;
  if (!present.any().item<bool>()) return metrics;
  const auto mean = [&](const at::Tensor& value_C) { return value_C.masked_select(present).mean().item<double>(); };
  metrics.accuracy = (hits.sum() / counts.sum()).item<double>();
  metrics.precision = mean(hits / predictions.clamp_min(1));
  metrics.recall = mean(hits / labels.clamp_min(1));
  metrics.f1 = mean(2 * hits / (labels + predictions).clamp_min(1));
  return metrics;
}

}  // namespace hone
