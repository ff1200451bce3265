#include "stages/trainer_state.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "io/safetensors.h"

namespace hone {

namespace {

constexpr const char* tensor_file = "trainer.safetensors";

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value)); }

double number_of(const Json& json) {
  if (!json.is_string()) return json.as_number();
  const std::string& text = json.as_string();
  if (text == "nan" || text == "-nan") return std::nan("");
  return text == "-inf" ? -HUGE_VAL : HUGE_VAL;
}

}  // namespace

TrainerState::TrainerState(const std::filesystem::path& directory, Json values)
    : restoring_(true), directory_(directory), values_(std::move(values)) {
  if (!std::filesystem::exists(directory / tensor_file)) return;
  const auto file = std::make_shared<Safetensors>(Safetensors::open(directory / tensor_file));
  for (const TensorView& view : file->tensors()) {
    // The deleter keeps the mapping alive as long as the tensor.
    tensors_.emplace_back(view.name, at::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape,
                                                   [file](void*) {}, at::kFloat));
  }
}

const Json& TrainerState::saved(const std::string& name) const {
  const Json* value = values_.find(name);
  if (value == nullptr) {
    fail(ErrorKind::data, "{}: the trainer's state has no '{}': it was written by another version of hone", directory_.string(),
         name);
  }
  return *value;
}

at::Tensor TrainerState::saved_tensor(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const auto& item) { return item.first == name; });
  if (found == tensors_.end()) fail(ErrorKind::data, "{}: the trainer's state has no tensor '{}'", directory_.string(), name);
  return found->second;
}

void TrainerState::value(const std::string& name, std::int64_t& value) {
  if (restoring_) {
    value = saved(name).as_integer();
  } else {
    values_.set(name, value);
  }
}

void TrainerState::value(const std::string& name, bool& value) {
  if (restoring_) {
    value = saved(name).as_bool();
  } else {
    values_.set(name, value);
  }
}

void TrainerState::value(const std::string& name, std::string& value) {
  if (restoring_) {
    value = saved(name).as_string();
  } else {
    values_.set(name, value);
  }
}

void TrainerState::value(const std::string& name, Json& value) {
  if (restoring_) {
    value = saved(name);
  } else {
    values_.set(name, value);
  }
}

void TrainerState::value(const std::string& name, double& value) {
  if (restoring_) {
    value = number_of(saved(name));
  } else {
    values_.set(name, number(value));
  }
}

void TrainerState::value(const std::string& name, std::optional<double>& value) {
  if (restoring_) {
    const Json& json = saved(name);
    value = json.is_null() ? std::nullopt : std::optional(number_of(json));
  } else {
    values_.set(name, value ? number(*value) : Json());
  }
}

void TrainerState::tensor(const std::string& name, at::Tensor tensor) {
  if (!restoring_) {
    tensors_.emplace_back(name, std::move(tensor));
    return;
  }
  const at::Tensor from = saved_tensor(name);
  if (from.sizes() != tensor.sizes()) {
    fail(ErrorKind::data, "{}: tensor '{}' of the trainer's state has {} values, this model needs {}", directory_.string(), name,
         from.numel(), tensor.numel());
  }
  tensor.copy_(from);
}

void TrainerState::optional_tensor(const std::string& name, at::Tensor& tensor) {
  bool defined = tensor.defined();
  value(name + ".defined", defined);
  if (!defined) {
    tensor = at::Tensor();
  } else if (restoring_) {
    tensor = saved_tensor(name).clone();
  } else {
    tensors_.emplace_back(name, tensor);
  }
}

void TrainerState::store(const std::string& name, ParameterStore& store) {
  tensor(name, store.weights());
  if (restoring_) store.refresh();
}

void TrainerState::optimizer(const std::string& name, Optimizer& optimizer) {
  for (const auto& [moment, values] : optimizer.state()) tensor(name + "." + moment, values);
  std::int64_t steps = optimizer.steps();
  value(name + ".steps", steps);
  if (restoring_) optimizer.set_steps(steps);
}

void TrainerState::order(const std::string& name, RowOrder& order) {
  if (restoring_) {
    order.restore(saved(name));
  } else {
    values_.set(name, order.state());
  }
}

void TrainerState::summary(const std::string& name, StageSummary& summary) {
  if (restoring_) {
    summary = summary_from_json(saved(name));
  } else {
    values_.set(name, to_json(summary));
  }
}

void TrainerState::write(const std::filesystem::path& directory) const {
  std::vector<TensorView> views;
  for (const auto& [name, tensor] : tensors_) {
    const at::Tensor flat = tensor.contiguous();
    HONE_ASSERT(flat.is_same(tensor) || flat.data_ptr() == tensor.data_ptr());
    views.push_back({name, DType::f32, tensor.sizes().vec(),
                     std::as_bytes(std::span(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())))});
  }
  if (!views.empty()) write_safetensors(directory / tensor_file, views);
}

}  // namespace hone
