#include "report/metrics.h"

#include <algorithm>

namespace hone {

Metrics::Sum& Metrics::sum(std::string_view name) {
  const auto found = std::ranges::find(sums_, name, &Sum::name);
  return found != sums_.end() ? *found : sums_.emplace_back(Sum{.name = std::string(name)});
}

void Metrics::add(std::string_view name, double value, double weight) {
  Sum& added = sum(name);
  if (weight == 0.0) return;  // 0 · NaN would not be 0
  added.total += value * weight;
  added.weight += weight;
}

void Metrics::add(const MetricValues& values, double weight) {
  for (const auto& [name, value] : values) add(name, value, weight);
}

void Metrics::set(std::string_view name, double value) {
  Sum& replaced = sum(name);
  replaced.total = value;
  replaced.weight = 1.0;
}

std::optional<double> Metrics::value(std::string_view name) const {
  const auto found = std::ranges::find(sums_, name, &Sum::name);
  if (found == sums_.end() || found->weight == 0.0) return std::nullopt;
  return found->total / found->weight;
}

MetricValues Metrics::values() const {
  MetricValues values;
  for (const Sum& sum : sums_) {
    if (sum.weight != 0.0) values.emplace_back(sum.name, sum.total / sum.weight);
  }
  return values;
}

}  // namespace hone
