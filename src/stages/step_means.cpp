#include "stages/step_means.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace hone {

StepMeans::Entry& StepMeans::entry(std::string_view name) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  if (found != entries_.end()) return *found;
  return entries_.emplace_back(Entry{.name = std::string(name)});
}

void StepMeans::mean(std::string_view name, double value) {
  Entry& entry = this->entry(name);
  if (!std::isfinite(value)) {
    entry.other = value;
    return;
  }
  entry.sum += value;
  entry.weight += 1;
}

void StepMeans::last(std::string_view name, double value) { entry(name).other = value; }

void StepMeans::rate(std::string_view name, double amount, double seconds) {
  Entry& entry = this->entry(name);
  entry.sum += amount;
  entry.weight += seconds;
  entry.clocked = true;
}

MetricValues StepMeans::take() {
  MetricValues row;
  for (const Entry& entry : entries_) row.emplace_back(entry.name, entry.weight > 0 ? entry.sum / entry.weight : entry.other);
  entries_.clear();
  return row;
}

void StepMeans::exchange(TrainerState& state) {
  auto count = static_cast<std::int64_t>(entries_.size());
  state.value("means", count);
  if (state.restoring()) entries_.assign(static_cast<std::size_t>(count), {});
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::string prefix = fmt::format("means.{}.", i);
    Entry& entry = entries_[i];
    state.value(prefix + "name", entry.name);
    state.value(prefix + "other", entry.other);
    double none = 0;
    state.value(prefix + "sum", entry.clocked ? none : entry.sum);
    state.value(prefix + "weight", entry.clocked ? none : entry.weight);
  }
}

}  // namespace hone
