#include "stages/model_directory.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "io/atomic_directory.h"
#include "io/file.h"
#include "io/safetensors.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view weights_file = "model.safetensors";
constexpr std::string_view value_file = "value_head.safetensors";

at::ScalarType scalar_type(DType dtype, const std::string& tensor, const fs::path& directory) {
  switch (dtype) {
    case DType::f32: return at::kFloat;
    case DType::f16: return at::kHalf;
    case DType::bf16: return at::kBFloat16;
    case DType::f64: return at::kDouble;
    default: break;
  }
  fail(ErrorKind::data, "{}: tensor '{}' is {}, expected F32, BF16, F16 or F64", directory.string(), tensor,
       dtype_name(dtype));
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// Shape of one part of a segment: its rows, then the segment's other dimensions.
std::vector<std::int64_t> part_shape(const Segment& segment, const SegmentPart& part) {
  std::vector<std::int64_t> shape = segment.shape;
  shape[0] = part.rows;
  return shape;
}

/// Views of the segments with or without the critic's, under their Hugging Face names.
std::vector<TensorView> tensor_views(Model& model, bool critic) {
  std::vector<TensorView> views;
  const auto* arena = model.store.weights().data_ptr<float>();
  for (const Segment& segment : model.store.segments()) {
    if ((segment.role == SegmentRole::critic) != critic) continue;
    const float* values = arena + segment.offset;
    for (const SegmentPart& part : segment.parts) {
      const std::int64_t count = segment.count() / segment.shape[0] * part.rows;
      views.push_back({part.hf_name, DType::f32, part_shape(segment, part), std::as_bytes(std::span(values, static_cast<std::size_t>(count)))});
      values += count;
    }
  }
  return views;
}

void set_token_ids(Json& config, const Tokenizer& tokenizer) {
  const auto set = [&config](const char* key, std::optional<std::int32_t> id) {
    config.set(key, id ? Json(static_cast<std::int64_t>(*id)) : Json());
  };
  set("bos_token_id", tokenizer.bos_id());
  set("eos_token_id", tokenizer.eos_id());
  set("pad_token_id", tokenizer.pad_id());
}

Json config_json(const Model& model, const Tokenizer& tokenizer) {
  Json config = model.policy->hf_config();
  if (model.score) {
    std::string architecture = config.at("architectures").as_array().at(0).as_string();
    const std::string_view causal = "ForCausalLM";
    architecture.replace(architecture.size() - causal.size(), causal.size(), "ForSequenceClassification");
    config.set("architectures", Json::Array{Json(architecture)});
    config.set("num_labels", model.score->outputs());
  }
  set_token_ids(config, tokenizer);
  config.set("torch_dtype", "float32");
  return config;
}

/// Copies one tensor of the file into its place; returns what is wrong, or "".
std::string copy_part(const Segment& segment, const SegmentPart& part, const Safetensors& file, const fs::path& directory,
                      float* values) {
  const TensorView* view = file.find(part.hf_name);
  if (view == nullptr) return fmt::format("tensor '{}' is missing", part.hf_name);
  const std::vector<std::int64_t> expected = part_shape(segment, part);
  if (view->shape != expected) {
    return fmt::format("tensor '{}' has shape {}, expected {}", part.hf_name, shape_text(view->shape), shape_text(expected));
  }
  const at::Tensor source = at::from_blob(const_cast<std::byte*>(view->bytes.data()), expected,
                                          scalar_type(view->dtype, part.hf_name, directory));
  at::from_blob(values, expected, at::kFloat).copy_(source);
  return "";
}

/// Tensors that checkpoints carry and that need no place: recomputed tables and tied copies.
bool is_redundant(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight" || name.starts_with("score.");
}

void load_file(Model& model, const Safetensors& file, bool critic, const fs::path& directory) {
  std::vector<std::string> problems;
  std::set<std::string, std::less<>> known;
  float* arena = model.store.weights().data_ptr<float>();
  for (const Segment& segment : model.store.segments()) {
    if ((segment.role == SegmentRole::critic) != critic) continue;
    float* values = arena + segment.offset;
    for (const SegmentPart& part : segment.parts) {
      known.insert(part.hf_name);
      const bool optional = segment.role == SegmentRole::head && file.find(part.hf_name) == nullptr;
      if (!optional) {
        if (std::string problem = copy_part(segment, part, file, directory, values); !problem.empty()) {
          problems.push_back(std::move(problem));
        }
      }
      values += segment.count() / segment.shape[0] * part.rows;
    }
  }
  for (const TensorView& view : file.tensors()) {
    if (known.count(view.name) == 0 && !is_redundant(view.name)) {
      problems.push_back(fmt::format("tensor '{}' has no place in this model", view.name));
    }
  }
  if (problems.empty()) return;
  const std::size_t shown = std::min<std::size_t>(problems.size(), 8);
  fail(ErrorKind::data, "{}: the weights do not fit config.json: {}{}; is it a checkpoint of another architecture?",
       directory.string(), fmt::join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown), "; "),
       problems.size() > shown ? fmt::format("; and {} more", problems.size() - shown) : "");
}

}  // namespace

void write_model_files(Model& model, const Tokenizer& tokenizer, const fs::path& directory) {
  write_file_atomic(directory / "config.json", config_json(model, tokenizer).dump(2));
  Json generation = Json::object();
  set_token_ids(generation, tokenizer);
  write_file_atomic(directory / "generation_config.json", generation.dump(2));
  write_safetensors(directory / weights_file, tensor_views(model, false));
  if (model.value) write_safetensors(directory / value_file, tensor_views(model, true));
  tokenizer.save(directory);
}

void save_model_directory(Model& model, const Tokenizer& tokenizer, const fs::path& place) {
  make_directories(place.parent_path());
  AtomicDirectory directory(place, AtomicDirectory::Existing::replace);
  write_model_files(model, tokenizer, directory.path());
  directory.commit();
}

std::unique_ptr<PolicySpec> read_policy_spec(const fs::path& directory, const Catalogs& catalogs) {
  const fs::path file = directory / "config.json";
  const Json config = Json::parse(read_file(file), file.string());
  const std::string& type = config.at("model_type").as_string();
  std::string known;
  for (const Catalog::Row& row : catalogs.of<PolicySpec>().rows) {
    std::unique_ptr<Component> made = row.make();
    auto& spec = static_cast<PolicySpec&>(*made);
    known += (known.empty() ? "" : ", ") + row.kind;
    if (!spec.accepts(type)) continue;
    made.release();
    std::unique_ptr<PolicySpec> owned(&spec);
    owned->kind = owned->name = row.kind;
    try {
      owned->from_hf(config);
    } catch (const Error& error) {
      fail(error.kind(), "{}: {}", file.string(), error.what());
    }
    return owned;
  }
  fail(ErrorKind::data, "{}: model_type is '{}', which no policy family reads; families: {}", file.string(), type, known);
}

HeadPlan read_head_plan(const fs::path& directory) {
  HeadPlan plan;
  plan.value = fs::exists(directory / value_file);
  const Safetensors file = Safetensors::open(directory);
  if (const TensorView* score = file.find("score.weight"); score != nullptr) {
    plan.scores = score->shape.at(0);
    plan.scores_are_classes = plan.scores > 1;
  }
  return plan;
}

void load_weights(Model& model, const fs::path& directory) {
  if (fs::exists(directory / "manifest.json")) {
    const std::vector<std::string> problems = verify_directory(directory);
    if (!problems.empty()) {
      fail(ErrorKind::data, "{}: the directory is damaged: {}; copy it again or use an earlier checkpoint",
           directory.string(), fmt::join(problems, "; "));
    }
  }
  load_file(model, Safetensors::open(directory), false, directory);
  if (model.value && fs::exists(directory / value_file)) {
    load_file(model, Safetensors::open(directory / value_file), true, directory);
  }
  model.store.refresh();
}

}  // namespace hone
