#include "stages/model_directory.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "data/class_examples.h"
#include "io/atomic_directory.h"
#include "io/file.h"
#include "io/generation_config.h"
#include "io/model_files.h"
#include "io/safetensors.h"
#include "predict/text_classification.h"
#include "stages/adapter_directory.h"
#include "stages/describe_model.h"
#include "stages/model_tensors.h"
#include "text/tokenizer_json.h"
#include "text/chat_format.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view value_file = "value_head.safetensors";

bool is_critic(const Segment& segment) { return segment.role == SegmentRole::critic; }
bool is_weight(const Segment& segment) {
  return segment.role != SegmentRole::critic && segment.role != SegmentRole::adapter;
}

/// The tokenizer's ids where the file says nothing: a model's own padding id may be part of what it computes (RoBERTa),
/// and its ends may be several.
void set_token_ids(Json& config, const Tokenizer& tokenizer) {
  const auto set = [&config](const char* key, std::optional<std::int32_t> id) {
    const Json* there = config.find(key);
    if (there == nullptr || there->is_null()) config.set(key, id ? Json(static_cast<std::int64_t>(*id)) : Json());
  };
  set("bos_token_id", tokenizer.bos_id());
  set("eos_token_id", tokenizer.eos_id());
  set("pad_token_id", tokenizer.pad_id());
}

/// {"0": "negative", "1": "positive"}, and the reverse.
void set_labels(Json& config, const std::vector<std::string>& labels) {
  Json names = Json::object();
  Json ids = Json::object();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    names.set(std::to_string(i), labels[i]);
    ids.set(labels[i], static_cast<std::int64_t>(i));
  }
  config.set("id2label", names);
  config.set("label2id", ids);
}

/// "BertModel": no head at all. T5EncoderModel is a whole class of its own.
bool is_trunk_class(std::string_view name) {
  return name.ends_with("Model") && !name.ends_with("LMHeadModel") && !name.ends_with("EncoderModel");
}

/// "BertModel" of "BertForSequenceClassification".
std::string trunk_class(const Policy& policy) {
  const std::string with_head = policy.hf_class(HeadKind::classes);
  return with_head.substr(0, with_head.find("For")) + "Model";
}

Json config_json(const Model& model, const Tokenizer& tokenizer) {
  Json config = model.policy->hf_config();
  const std::optional<HeadKind> kind = model.score ? std::optional(model.score->kind()) : std::nullopt;
  config.set("architectures",
             Json::Array{Json(model.plan.is_trunk() ? trunk_class(*model.policy) : model.policy->hf_class(kind))});
  if (model.score) {
    config.set("num_labels", model.score->outputs());
    if (!model.plan.labels.empty()) set_labels(config, model.plan.labels);
    if (!model.plan.problem_type.empty()) config.set("problem_type", model.plan.problem_type);
  }
  set_token_ids(config, tokenizer);
  return config;
}

const char* transformers_dtype(DType dtype) {
  if (dtype == DType::bf16) return "bfloat16";
  return dtype == DType::f16 ? "float16" : "float32";
}

/// Whether the model's class has a `generate` in transformers.
bool generates(const Model& model) {
  return model.plan.lm && !model.score && model.policy->shape().kind != PolicyKind::encoder;
}

Json generation_ids(const Json& config, const PolicyShape& shape) {
  Json ids = Json::object();
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"}) {
    if (const Json* id = config.find(key); id != nullptr) ids.set(key, *id);
  }
  if (shape.kind == PolicyKind::encoder_decoder) {
    ids.set("decoder_start_token_id", static_cast<std::int64_t>(shape.decoder_start));
  }
  return ids;
}

/// "LlamaForSequenceClassification" → classes; nothing for a class with an LM head or none.
std::optional<HeadKind> head_of_class(std::string_view name) {
  if (name.ends_with("ForSequenceClassification")) return HeadKind::classes;
  if (name.ends_with("ForTokenClassification")) return HeadKind::tokens;
  if (name.ends_with("ForQuestionAnswering")) return HeadKind::spans;
  return std::nullopt;
}

std::string class_of(const Json& config) {
  const Json* classes = config.find("architectures");
  if (classes == nullptr || classes->is_null() || classes->as_array().empty()) return "";
  return classes->as_array()[0].as_string();
}

/// Whether a head on whole texts is a reward model's: one output without further words, or several real numbers.
bool is_reward(const HeadPlan& plan) {
  return plan.scores == 1 ? plan.problem_type.empty() : plan.problem_type == problem_type_names[2];
}

/// Tensors that the directory must have: all but those of heads that its class has not.
void check_missing(Model& model, const LoadReport& report, const std::string& hf_class, const fs::path& directory) {
  std::vector<std::string> drawn;
  std::vector<std::string> problems;
  for (const Segment& segment : model.store.segments()) {
    for (const SegmentPart& part : segment.parts) {
      if (std::find(report.missing.begin(), report.missing.end(), part.hf_name) == report.missing.end()) continue;
      const bool of_head = (segment.role == SegmentRole::head && hf_class != model.policy->hf_class(model.plan.score_kind)) ||
                           (segment.role == SegmentRole::lm_head && hf_class != model.policy->hf_class(std::nullopt));
      (of_head ? drawn : problems).push_back(fmt::format("tensor '{}' is missing", part.hf_name));
    }
  }
  if (!problems.empty()) {
    fail(ErrorKind::data, "{}: the weights do not fit config.json: {}; is it a checkpoint of another architecture?",
         directory.string(), listed(problems));
  }
  if (!drawn.empty()) log_warn("{}: {}: a head that starts from random weights", directory.string(), listed(drawn));
}

/// Tensors of the trunk that the model has no place for are an error, those of heads that it has not are left alone.
void check_unused(const Model& model, const LoadReport& report, const std::string& hf_class, const fs::path& directory) {
  const std::string prefix = model.policy->hf_prefix();
  const bool same_class = hf_class == model.policy->hf_class(model.score ? std::optional(model.score->kind()) : std::nullopt);
  std::vector<std::string> problems;
  std::vector<std::string> left;
  for (const std::string& name : report.unused) {
    if (same_class || name.starts_with(prefix)) {
      problems.push_back(fmt::format("tensor '{}' has no place in this model", name));
    } else {
      left.push_back(name);
    }
  }
  if (!problems.empty()) {
    fail(ErrorKind::data, "{}: the weights do not fit config.json: {}; is it a checkpoint of another architecture?",
         directory.string(), listed(problems));
  }
  if (!left.empty()) log_info("{}: not used by this model: {}", directory.string(), listed(left));
}

void load_whole(Model& model, const fs::path& directory, const RowChange* change) {
  const LoadReport report =
      copy_from_file(model, Safetensors::open(directory), is_weight, model.policy->hf_prefix(), directory, change);
  const std::string hf_class = class_of(read_model_config(directory));
  check_missing(model, report, hf_class, directory);
  check_unused(model, report, hf_class, directory);
}

}  // namespace

void write_model_files(Model& model, const Tokenizer& tokenizer, const fs::path& directory,
                       const ModelDirectoryOptions& options) {
  const bool adapter = !model.tuning.base_model.empty();
  Json config = config_json(model, tokenizer);
  config.set("dtype", adapter ? "float32" : transformers_dtype(options.weights.stored));
  write_file_atomic(directory / "config.json", config.dump(2) + "\n");
  if (generates(model)) {
    const Json generation = generation_config_json(options.generation_config, generation_ids(config, model.policy->shape()));
    write_file_atomic(directory / "generation_config.json", generation.dump(2) + "\n");
  }
  if (adapter) {
    write_adapter_files(model, model.tuning.base_model, directory);
  } else {
    write_weight_files(directory, file_tensors(model, is_weight).views, options.weights);
  }
  if (model.value) write_safetensors(directory / value_file, file_tensors(model, is_critic).views);
  tokenizer.save(directory);
  if (tokenizer.chat() != nullptr) tokenizer.chat()->save(directory);
  const std::string card = options.card.empty() ? model_card_text(card_of(model)) : options.card;
  write_file_atomic(directory / "README.md", card);
}

void save_model_directory(Model& model, const Tokenizer& tokenizer, const fs::path& place,
                          const ModelDirectoryOptions& options) {
  if (place.has_parent_path()) make_directories(place.parent_path());
  AtomicDirectory directory(place, AtomicDirectory::Existing::replace);
  write_model_files(model, tokenizer, directory.path(), options);
  directory.commit();
}

Json read_model_config(const fs::path& directory) {
  const fs::path file = directory / "config.json";
  if (!fs::is_directory(directory)) {
    fail(ErrorKind::io, "{}: {}, expected a model directory with a config.json", directory.string(),
         fs::exists(directory) ? "this is a file" : "there is no such directory");
  }
  if (!fs::exists(file)) {
    fail(ErrorKind::io, "{}: there is no config.json in it, expected a Hugging Face model directory", directory.string());
  }
  return Json::parse(read_file(file), file.string());
}

std::unique_ptr<Tokenizer> read_model_tokenizer(const fs::path& directory, PolicySpec& spec) {
  std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(directory);
  if (tokenizer->vocab_size() > spec.vocabulary()) {
    fail(ErrorKind::data, "{}: the tokenizer has {} ids, the model's vocabulary (config.json: vocab_size) is {}; use the "
         "tokenizer that the model was trained with", directory.string(), tokenizer->vocab_size(), spec.vocabulary());
  }
  return tokenizer;
}

std::unique_ptr<PolicySpec> read_policy_spec(const fs::path& directory, const Catalogs& catalogs) {
  const fs::path file = directory / "config.json";
  const Json config = read_model_config(directory);
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
      owned->from_tensors([&](std::string_view name) { return Safetensors::open(directory).find(name) != nullptr; });
    } catch (const Error& error) {
      fail(error.kind(), "{}: {}", file.string(), error.what());
    }
    return owned;
  }
  fail(ErrorKind::data, "{}: model_type is '{}', which no policy family reads; families: {}", file.string(), type, known);
}

HeadPlan read_head_plan(const fs::path& directory) {
  const Json config = read_model_config(directory);
  HeadPlan plan;
  plan.value = fs::exists(directory / value_file);
  const std::string hf_class = class_of(config);
  const std::optional<HeadKind> kind = head_of_class(hf_class);
  plan.lm = !kind && !is_trunk_class(hf_class);
  if (!kind) return plan;
  plan.labels = stored_labels(config, directory.string());
  if (const Json* type = config.find("problem_type"); type != nullptr && !type->is_null()) {
    plan.problem_type = type->as_string();
  }
  const Json* count = config.find("num_labels");
  plan.scores = count != nullptr && !count->is_null() ? count->as_integer()
                : plan.labels.empty()                 ? 2  // what transformers assumes
                                                      : static_cast<std::int64_t>(plan.labels.size());
  plan.score_kind = *kind == HeadKind::classes && is_reward(plan) ? HeadKind::reward : *kind;
  return plan;
}

void load_weights(Model& model, const fs::path& directory, StoredAdapter adapter) {
  if (fs::exists(directory / "manifest.json")) {
    const std::vector<std::string> problems = verify_directory(directory);
    if (!problems.empty()) {
      fail(ErrorKind::data, "{}: the directory is damaged: {}; copy it again or use an earlier checkpoint",
           directory.string(), fmt::join(problems, "; "));
    }
  }
  const std::optional<Adapter> stored =
      is_adapter_directory(directory) ? std::optional(read_adapter(directory)) : std::nullopt;
  const bool keep = adapter == StoredAdapter::keep && model.store.has_adapters();
  if (!stored) {
    load_whole(model, directory, nullptr);
  } else if (keep) {
    load_whole(model, base_directory(directory, stored->config), nullptr);
  } else {
    const RowChange merge = merge_of(model, *stored, directory);
    load_whole(model, base_directory(directory, stored->config), &merge);
    load_saved(model, *stored, directory);
  }
  initialize_magnitudes(model.store);
  if (stored && keep) load_adapter(model, *stored, directory);
  if (model.value && fs::exists(directory / value_file)) {
    copy_from_file(model, Safetensors::open(directory / value_file), is_critic, model.policy->hf_prefix(), directory);
  }
  model.store.refresh();
}

}  // namespace hone
