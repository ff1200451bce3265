#include "app/task_model.h"

#include "app/catalog.h"
#include "app/experiment.h"
#include "base/error.h"
#include "stages/model_directory.h"

namespace hone {

at::Tensor int_tensor(const std::vector<std::int32_t>& ids) { return at::tensor(at::ArrayRef<std::int32_t>(ids), at::kInt); }

kernels::AttentionPlan single_plan(std::int64_t length) {
  return packed_plan(int_tensor({0, static_cast<std::int32_t>(length)}), at::arange(length, at::kInt));
}

TaskModel::TaskModel(const std::string& place) : directory(place) {
  prepare_process(0);
  config = read_model_config(directory);
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
  tokenizer = read_model_tokenizer(directory, *spec);
  model = std::make_unique<Model>(*spec, read_head_plan(directory), kernels::Compute::float32, WeightUse::compute);
  load_weights(*model, directory);
}

at::Tensor TaskModel::hidden(const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& type_ids) const {
  const auto length = static_cast<std::int64_t>(ids.size());
  if (length > model->policy->shape().context) {
    fail(ErrorKind::data, "the text has {} tokens, the model reads at most {}; cut it", length, model->policy->shape().context);
  }
  if (ids.empty()) fail(ErrorKind::data, "the text has no token");
  const at::NoGradGuard no_grad;
  const kernels::AttentionPlan plan = single_plan(length);
  const Json* types = config.find("type_vocab_size");
  const bool typed = types != nullptr && types->is_integer() && types->as_integer() > 1;
  return model->policy->hidden(int_tensor(ids), {.plan = &plan, .type_T = typed ? int_tensor(type_ids) : at::Tensor()});
}

void TaskModel::require_head(HeadKind kind, const std::string& task) const {
  const bool sequence = kind == HeadKind::classes;
  const bool fits = model->score && (model->score->kind() == kind || (sequence && model->score->kind() == HeadKind::reward));
  if (!fits) {
    fail(ErrorKind::data, "{}: {} needs a model of the class …{}, this directory's class has another head", directory, task,
         model->policy->hf_class(kind).substr(model->policy->hf_class(kind).find("For")));
  }
}

at::Tensor TaskModel::scores(const at::Tensor& hidden_TD) const {
  const at::NoGradGuard no_grad;
  const at::Tensor start_S1 = int_tensor({0, static_cast<std::int32_t>(hidden_TD.size(0))});
  return (*model->score)(model->score->pick(hidden_TD, start_S1)).contiguous();
}

std::span<const float> floats_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace hone
