#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/order.h"
#include "nn/parameter_store.h"
#include "optim/optimizer.h"
#include "report/summary.h"

namespace hone {

/// Everything beside the model that decides a stage's future, by name. A loop lists it once and the same list saves and
/// restores:
///
///     void exchange(TrainerState& state) {
///       state.value("step", step_);
///       state.optimizer("optimizer", optimizer_);
///     }
///
/// Saving copies nothing: tensors are written from where they are, so write() comes before they change. Restoring fails
/// with Error{data} on a name that is missing or a size that differs.
class TrainerState {
 public:
  /// To save.
  TrainerState() = default;
  /// To restore what write() left in `directory`; `values` is what values() gave.
  TrainerState(const std::filesystem::path& directory, Json values);

  bool restoring() const { return restoring_; }

  void value(const std::string& name, std::int64_t& value);
  void value(const std::string& name, bool& value);
  void value(const std::string& name, std::string& value);
  void value(const std::string& name, Json& value);
  /// NaN and infinities come back as they were.
  void value(const std::string& name, double& value);
  void value(const std::string& name, std::optional<double>& value);
  /// A float32 tensor that keeps its size: restored in place.
  void tensor(const std::string& name, at::Tensor tensor);
  /// A float32 tensor that may be undefined: replaced.
  void optional_tensor(const std::string& name, at::Tensor& tensor);
  /// Weights, with what is derived from them.
  void store(const std::string& name, ParameterStore& store);
  void optimizer(const std::string& name, Optimizer& optimizer);
  void order(const std::string& name, RowOrder& order);
  void summary(const std::string& name, StageSummary& summary);

  const Json& values() const { return values_; }
  /// Writes the tensors.
  void write(const std::filesystem::path& directory) const;

 private:
  const Json& saved(const std::string& name) const;
  at::Tensor saved_tensor(const std::string& name) const;

  bool restoring_ = false;
  std::filesystem::path directory_;
  Json values_ = Json::object();
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
};

}  // namespace hone
