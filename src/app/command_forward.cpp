#include <deque>
#include <fstream>
#include <functional>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "app/task_model.h"
#include "base/error.h"
#include "base/json.h"
#include "io/safetensors.h"
#include "nn/layers.h"
#include "stages/model_directory.h"

namespace hone {

namespace {

using Ids = std::vector<std::int32_t>;

/// One line of the input.
struct InputRow {
  Ids ids, type_ids, decoder_ids;
};

Ids ids_of(const Json& row, const char* key, std::int64_t limit, const std::string& place) {
  Ids ids;
  const Json* list = row.find(key);
  if (list == nullptr) return ids;
  for (const Json& id : list->as_array()) {
    const std::int64_t value = id.as_integer();
    if (value < 0 || value >= limit) {
      fail(ErrorKind::data, "{}: {} has {}, expected ids in [0, {})", place, key, value, limit);
    }
    ids.push_back(static_cast<std::int32_t>(value));
  }
  return ids;
}

/// What a decoder reads for a task's head: the text, one place behind the start id.
Ids shifted(const Ids& ids, std::int32_t start) {
  Ids moved{start};
  moved.insert(moved.end(), ids.begin(), ids.end() - 1);
  return moved;
}

InputRow parse_row(const std::string& line, const Model& model, const std::string& place) {
  const PolicyShape& shape = model.policy->shape();
  const Json json = Json::parse(line, place);
  constexpr std::int64_t types = 1 << 16;  // the embedding knows how many there are
  InputRow row{ids_of(json, "ids", shape.vocabulary, place), ids_of(json, "type_ids", types, place),
               ids_of(json, "decoder_ids", shape.vocabulary, place)};
  const auto length = static_cast<std::int64_t>(row.ids.size());
  if (row.ids.empty()) fail(ErrorKind::data, "{}: expected {{\"ids\": [1, 2, …]}} with at least one id", place);
  if (length > shape.context) {
    fail(ErrorKind::data, "{}: {} ids, the model's context is {}", place, length, shape.context);
  }
  if (!row.type_ids.empty() && row.type_ids.size() != row.ids.size()) {
    fail(ErrorKind::data, "{}: {} type_ids for {} ids", place, row.type_ids.size(), length);
  }
  const bool has_decoder = shape.kind == PolicyKind::encoder_decoder;
  if (has_decoder && model.score && row.decoder_ids.empty()) row.decoder_ids = shifted(row.ids, shape.decoder_start);
  if (has_decoder == row.decoder_ids.empty()) {
    fail(ErrorKind::data, "{}: decoder_ids are {}", place, has_decoder ? "needed: the model has a decoder of its own" : "not for this model");
  }
  return row;
}

/// Hidden states [T, D] of one row: of the decoder where there are two sides.
at::Tensor hidden_of(Model& model, const InputRow& row) {
  const kernels::AttentionPlan plan = single_plan(static_cast<std::int64_t>(row.ids.size()));
  const at::Tensor type_T = row.type_ids.empty() ? at::Tensor() : int_tensor(row.type_ids);
  if (row.decoder_ids.empty()) return model.policy->hidden(int_tensor(row.ids), {.plan = &plan, .type_T = type_T});
  const at::Tensor encoded_UD = model.policy->encode(int_tensor(row.ids), {.plan = &plan});
  kernels::AttentionPlan target = single_plan(static_cast<std::int64_t>(row.decoder_ids.size()));
  target.key_start_S1 = plan.start_S1;
  const SourceSide source{.encoded_UD = encoded_UD, .plan = &target};
  return model.policy->hidden(int_tensor(row.decoder_ids), {.plan = &target, .source = &source});
}

at::Tensor logits_of(Model& model, const at::Tensor& hidden_TD) {
  if (!model.score) return model.policy->lm_head().logits(hidden_TD);
  const at::Tensor start_S1 = int_tensor({0, static_cast<std::int32_t>(hidden_TD.size(0))});
  const at::Tensor scores = (*model.score)(model.score->pick(hidden_TD, start_S1));
  return model.score->rows() == HeadRows::all ? scores : scores.squeeze(0);
}

}  // namespace

void command_forward(const ForwardCommand& command) {
  prepare_process(0);
  const at::NoGradGuard no_grad;
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(command.model, built_in());
  Model model(*spec, read_head_plan(command.model), command.bfloat16 ? kernels::Compute::bfloat16 : kernels::Compute::float32,
              WeightUse::compute);
  if (model.plan.is_trunk() && !command.hidden) {
    fail(ErrorKind::usage, "{}: a model without a head has no logits; ask for --what hidden", command.model);
  }
  load_weights(model, command.model);
  std::ifstream input(command.input);
  if (!input) fail(ErrorKind::io, "{}: cannot be read", command.input);
  std::deque<at::Tensor> outputs;
  std::vector<TensorView> views;
  std::int64_t row = 0;
  for (std::string line; std::getline(input, line); ++row) {
    const InputRow parsed = parse_row(line, model, fmt::format("{}:{}", command.input, row + 1));
    const at::Tensor hidden_TD = hidden_of(model, parsed);
    const at::Tensor& output = outputs.emplace_back((command.hidden ? hidden_TD : logits_of(model, hidden_TD)).contiguous());
    const std::span<const float> floats(output.const_data_ptr<float>(), static_cast<std::size_t>(output.numel()));
    views.push_back({std::to_string(row), DType::f32, output.sizes().vec(), std::as_bytes(floats)});
  }
  if (views.empty()) fail(ErrorKind::data, "{}: there is no row in it", command.input);
  write_safetensors(command.output, views);
}

}  // namespace hone
