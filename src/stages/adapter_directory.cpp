#include "stages/adapter_directory.h"

#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "base/error.h"
#include "io/tensor_values.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view weight_suffix = ".weight";

/// One matrix that an adapter can be on: a part of a segment.
struct Place {
  Parameter matrix;
  SegmentPart part;
  std::int64_t first_row = 0;
};

std::optional<Place> find_place(ParameterStore& store, const std::string& module) {
  for (const Segment& segment : store.segments()) {
    if (!segment.matrix || segment.role == SegmentRole::adapter) continue;
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      if (part.hf_name == module + std::string(weight_suffix)) return Place{store.find(segment.name), part, row};
      row += part.rows;
    }
  }
  return std::nullopt;
}

at::Tensor values_of(const TensorView& view) {
  const at::Tensor values = at::empty(view.shape, at::kFloat);
  copy_as_float32(view, values.data_ptr<float>());
  return values;
}

/// Rows of B and of magnitudes lie as the rows of the matrix in its file.
at::Tensor own_rows(const TensorView& view, const SegmentPart& part) {
  return from_file(values_of(view), {.outer = part.layout.outer, .inner = part.layout.inner});
}

[[noreturn]] void no_place(const fs::path& directory, const std::string& module) {
  fail(ErrorKind::data, "{}: the adapter has updates for '{}', which the base model does not have; is it an adapter for "
       "another model?", directory.string(), module);
}

void check_shape(const AdapterModule& module, const Place& place, const fs::path& directory) {
  const std::int64_t columns = place.matrix.segment().shape[1];
  if (module.a.shape.at(1) == columns && module.b.shape.at(0) == place.part.rows) return;
  fail(ErrorKind::data, "{}: the adapter of '{}' is for a matrix of [{}, {}], the base model's is [{}, {}]; is it an "
       "adapter for another model?", directory.string(), module.name, module.b.shape[0], module.a.shape[1],
       place.part.rows, columns);
}

std::vector<std::string> head_modules(const Model& model) {
  std::set<std::string> modules;
  for (const Segment& segment : model.store.segments()) {
    if (segment.role != SegmentRole::head) continue;
    for (const SegmentPart& part : segment.parts) modules.insert(part.hf_name.substr(0, part.hf_name.rfind('.')));
  }
  return {modules.begin(), modules.end()};
}

const char* task_of(const Model& model) {
  if (!model.score) return model.policy->shape().kind == PolicyKind::encoder_decoder ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
  switch (model.score->kind()) {
    case HeadKind::tokens: return "TOKEN_CLS";
    case HeadKind::spans: return "QUESTION_ANS";
    default: return "SEQ_CLS";
  }
}

}  // namespace

bool is_adapter_directory(const fs::path& directory) { return fs::exists(directory / "adapter_config.json"); }

fs::path base_directory(const fs::path& directory, const AdapterConfig& config) {
  const fs::path named = config.base_model;
  for (const fs::path& place : {named, directory / named}) {
    if (!named.empty() && fs::exists(place / "config.json")) return place;
  }
  fail(ErrorKind::data, "{}: base_model_name_or_path is '{}', expected a directory with a config.json; put the base model "
       "there or write its path", (directory / "adapter_config.json").string(), named.string());
}

fs::path base_directory(const fs::path& directory) {
  return base_directory(directory, read_adapter(directory).config);
}

void write_adapter_files(Model& model, const fs::path& base, const fs::path& directory) {
  const LoraConfig& lora = model.tuning.lora;
  Adapter adapter;
  adapter.config = {.rank = lora.rank,
                    .alpha = lora.alpha,
                    .dropout = lora.dropout,
                    .rank_stabilized = lora.rslora,
                    .dora = lora.dora,
                    .modules_to_save = head_modules(model),
                    .task_type = task_of(model),
                    .base_model = base.string()};
  const FileTensors tensors = file_tensors(model, [](const Segment& segment) { return segment.role == SegmentRole::adapter; });
  const auto view_of = [&](const Parameter& parameter) {
    for (const TensorView& view : tensors.views) {
      if (view.name == parameter.segment().parts[0].hf_name) return view;
    }
    fail(ErrorKind::internal, "an adapter without tensor");
  };
  std::set<std::string> targets;
  for (const Segment& segment : model.store.segments()) {
    for (const LowRankAdapter& low : model.store.find(segment.name).adapters()) {
      std::int64_t row = 0;
      for (const SegmentPart& part : segment.parts) {
        if (row == low.first_row) {
          const std::string module = part.hf_name.substr(0, part.hf_name.size() - weight_suffix.size());
          targets.insert(module.substr(module.rfind('.') + 1));
          adapter.config.fan_in_fan_out = adapter.config.fan_in_fan_out || part.layout.transposed;
          adapter.modules.push_back({.name = module, .a = view_of(low.a_RK), .b = view_of(low.b_NR), .scale = low.scale});
          if (low.magnitude_N.defined()) adapter.modules.back().magnitude = view_of(low.magnitude_N);
        }
        row += part.rows;
      }
    }
  }
  adapter.config.target_modules.assign(targets.begin(), targets.end());
  const FileTensors heads = file_tensors(model, [](const Segment& segment) { return segment.role == SegmentRole::head; });
  adapter.saved = heads.views;
  write_adapter(directory, adapter);
}

void load_adapter(Model& model, const Adapter& adapter, const fs::path& directory) {
  std::size_t filled = 0;
  std::size_t wanted = 0;
  for (const Segment& segment : model.store.segments()) wanted += model.store.find(segment.name).adapters().size();
  for (const AdapterModule& module : adapter.modules) {
    const std::optional<Place> place = find_place(model.store, module.name);
    if (!place) no_place(directory, module.name);
    check_shape(module, *place, directory);
    for (const LowRankAdapter& low : place->matrix.adapters()) {
      if (low.first_row != place->first_row) continue;
      const bool same = low.a_RK.segment().shape == module.a.shape && std::abs(low.scale - module.scale) < 1e-9 &&
                        low.magnitude_N.defined() == module.magnitude.has_value();
      if (!same) {
        fail(ErrorKind::data, "{}: the adapter of '{}' has rank {} and scale {}, model.lora makes rank {} and scale {}",
             directory.string(), module.name, module.a.shape[0], module.scale, low.a_RK.segment().shape[0], low.scale);
      }
      low.a_RK.weight().copy_(values_of(module.a));
      low.b_NR.weight().copy_(own_rows(module.b, place->part));
      if (low.magnitude_N.defined()) low.magnitude_N.weight().copy_(own_rows(*module.magnitude, place->part));
      ++filled;
    }
  }
  if (filled != wanted || filled != adapter.modules.size()) {
    fail(ErrorKind::data, "{}: the adapter has {} modules, model.lora makes {}, {} are the same; give the same targets",
         directory.string(), adapter.modules.size(), wanted, filled);
  }
  load_saved(model, adapter, directory);
}

RowChange merge_of(Model& model, const Adapter& adapter, const fs::path& directory) {
  struct Update {
    std::int64_t first_row;
    at::Tensor a_RK, b_NR, magnitude_N;
    double scale;
  };
  auto updates = std::make_shared<std::map<std::string, std::vector<Update>>>();  // by segment
  for (const AdapterModule& module : adapter.modules) {
    const std::optional<Place> place = find_place(model.store, module.name);
    if (!place) no_place(directory, module.name);
    check_shape(module, *place, directory);
    (*updates)[place->matrix.segment().name].push_back(
        {place->first_row, values_of(module.a), own_rows(module.b, place->part),
         module.magnitude ? own_rows(*module.magnitude, place->part) : at::Tensor(), module.scale});
  }
  const auto apply = [updates](const Segment& segment, std::int64_t begin, std::int64_t end, float* rows) {
    const at::NoGradGuard no_grad;
    for (const Update& update : updates->at(segment.name)) {
      const std::int64_t from = std::max(begin, update.first_row);
      const std::int64_t to = std::min(end, update.first_row + update.b_NR.size(0));
      if (from >= to) continue;
      const std::int64_t columns = segment.shape[1];
      at::Tensor values = at::from_blob(rows + (from - begin) * columns, {to - from, columns}, at::kFloat);
      const auto of_rows = [&](const at::Tensor& all) { return all.narrow(0, from - update.first_row, to - from); };
      values.addmm_(of_rows(update.b_NR), update.a_RK, 1, update.scale);
      if (!update.magnitude_N.defined()) continue;
      const at::Tensor norm = at::linalg_vector_norm(values, 2, at::IntArrayRef{1});
      values.mul_((of_rows(update.magnitude_N) / norm).unsqueeze(1));
    }
  };
  return {[updates](const Segment& segment) { return updates->count(segment.name) > 0; }, apply};
}

void load_saved(Model& model, const Adapter& adapter, const fs::path& directory) {
  for (const TensorView& view : adapter.saved) {
    bool found = false;
    for (const Segment& segment : model.store.segments()) {
      if (segment.parts.size() != 1 || segment.parts[0].hf_name != view.name) continue;
      if (view.shape != segment.shape) {
        fail(ErrorKind::data, "{}: tensor '{}' has shape {}, expected {}", directory.string(), view.name,
             shape_text(view.shape), shape_text(segment.shape));
      }
      model.store.fill(model.store.find(segment.name), rows_of(values_of(view)));
      found = true;
    }
    if (!found && model.score) no_place(directory, view.name);
  }
}

}  // namespace hone
