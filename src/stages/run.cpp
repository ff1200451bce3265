#include "stages/run.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "data/prompts.h"
#include "io/atomic_directory.h"
#include "io/file.h"
#include "stages/describe_model.h"
#include "stages/model_directory.h"
#include "stages/step_scorer.h"
#include "stages/text_scorers.h"
#include "stages/trainer_state.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

constexpr const char* initial_name = "initial";

/// A model directory, for rewards to ask: whatever its shape.
std::unique_ptr<Model> open_frozen(const Run& run, const std::filesystem::path& place, bool with_head) {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(place, *run.catalogs);
  HeadPlan plan = with_head ? read_head_plan(place) : HeadPlan{};
  plan.value = false;
  auto frozen = std::make_unique<Model>(*spec, plan, run.compute, WeightUse::compute);
  load_weights(*frozen, place);
  return frozen;
}

}  // namespace

void CheckpointsConfig::describe(Fields& f) {
  f.field("interval", interval, "Time between checkpoints within a stage; 0: only where stages ask for them.", at_least(0));
  f.field("keep", keep, "Checkpoints within a stage that are kept, the newest.", at_least(1));
}

void ReportingConfig::describe(Fields& f) {
  f.field("samples", samples, "Episodes of each iteration, and of each evaluation, that samples.jsonl, TensorBoard and the "
                              "report show.", at_least(0));
}

std::shared_ptr<const Dataset> Run::dataset(const std::string& name) {
  if (const auto found = loaded_.find(name); found != loaded_.end()) return found->second;
  const auto config = data.find(name);
  if (config == data.end()) {
    std::string known;
    for (const auto& [key, unused] : data) known += (known.empty() ? "" : ", ") + key;
    fail(ErrorKind::config, "data: there is no data set '{}'; the file has {}", name, known.empty() ? "none" : known);
  }
  return loaded_[name] = std::make_shared<const Dataset>(load_dataset(name, data, seed, tokenizer.get()));
}

Services Run::services() {
  Services services;
  services.seed = seed;
  services.prompts = [this](const std::string& name) { return make_prompt_source(dataset(name)); };
  services.likelihood = [this](const std::string& name) { return make_scorer(name, false); };
  services.executor = executor;
  services.scorer = [this](const std::string& name) { return make_scorer(name, true); };
  services.step_scorer = [this](const std::string& name, const std::string& separator) {
    const std::filesystem::path place = model_place(name);
    return step_scorer(open_frozen(*this, place, true), load_tokenizer(place), separator);
  };
  services.pieces = [this](std::span<const std::int32_t> ids) {
    std::vector<std::string> pieces;
    for (const std::int32_t id : ids) pieces.emplace_back(tokenizer->is_special(id) ? std::string_view() : tokenizer->id_to_bytes(id));
    return pieces;
  };
  return services;
}

std::unique_ptr<TextScorer> Run::make_scorer(const std::string& stage_or_directory, bool with_head) {
  if (stage_or_directory == initial_name && !with_head) return likelihood_scorer(frozen_copy(), *tokenizer);
  const std::filesystem::path place = model_place(stage_or_directory);
  std::unique_ptr<Model> frozen = open_frozen(*this, place, with_head);
  std::unique_ptr<Tokenizer> its_tokenizer = load_tokenizer(place);
  auto scorer = with_head ? head_scorer(std::move(frozen), *its_tokenizer)
                          : likelihood_scorer(std::move(frozen), *its_tokenizer);
  return with_tokenizer(std::move(its_tokenizer), std::move(scorer));
}

Model& Run::use_heads(const HeadPlan& plan) {
  if (model->plan == plan) return *model;
  auto rebuilt = std::make_unique<Model>(*policy, plan, compute, true, tuning);
  rebuilt->store.initialize(seed);
  initialize_magnitudes(rebuilt->store);
  if (plan.lm && !model->plan.lm) log_warn("the language-model head starts from random weights");
  const bool same_head = model->plan.is_trunk() ||  // whose pooler is the beginning of a head
                         (model->plan.scores == plan.scores && model->plan.score_kind == plan.score_kind);
  rebuilt->copy_weights(*model, same_head);
  model = std::move(rebuilt);
  return *model;
}

std::unique_ptr<Model> Run::frozen_copy() {
  auto frozen = std::make_unique<Model>(*policy, HeadPlan{}, compute, false, tuning);
  frozen->copy_weights(*model);
  merge_adapters(frozen->store);
  return frozen;
}

std::optional<ResumePoint> Run::take_resume_point(const std::string& stage) {
  if (!resume_point || resume_point->record.stage != stage) return std::nullopt;
  return std::exchange(resume_point, std::nullopt);
}

void Run::restore_model(const std::filesystem::path& place) {
  model = std::make_unique<Model>(*policy, read_head_plan(place), compute, true, tuning);
  model->store.initialize(seed);
  load_weights(*model, place, StoredAdapter::keep);
  pooling_ = read_pooling_plan(place);
}

void Run::restore_stage(const std::string& stage) { restore_model(model_place(stage)); }

ModelDirectoryOptions Run::directory_options(const CheckpointRecord& record) const {
  return {.generation_config = generation_config, .card = model_card_text(card_of(*this, record))};
}

std::filesystem::path Run::save_failed(const std::string& stage) {
  const std::filesystem::path place = checkpoint_directory(stage) / "failed";
  CheckpointRecord record{.stage = stage, .updates = model->store.version()};
  record.stages.assign(report->summaries().begin(), report->summaries().end());
  save_model_directory(*model, *tokenizer, place, directory_options(record));
  return place;
}

void Run::save_checkpoint(const std::filesystem::path& place, CheckpointRecord record, const TrainerState* state) {
  record.updates = model->store.version();
  record.files = report->positions();
  record.stages.assign(report->summaries().begin(), report->summaries().end());
  record.machine = machine_record(compute == kernels::Compute::bfloat16);
  try {
    make_directories(place.parent_path());
    AtomicDirectory files(place, AtomicDirectory::Existing::replace);
    write_model_files(*model, *tokenizer, files.path(), directory_options(record));
    if (pooling_) write_pooling_plan(*pooling_, files.path());
    if (state != nullptr) state->write(files.path());
    record.write(files.path());
    files.commit();
  } catch (const Error& error) {
    fail(error.kind(), "{} is not saved: {}; earlier checkpoints stand: when this is mended run the same command to go on",
         place.string(), error.what());
  }
}

std::filesystem::path Run::model_place(const std::string& stage_or_directory) const {
  const std::filesystem::path of_stage = checkpoint_directory(stage_or_directory) / "final";
  if (std::filesystem::exists(of_stage / "config.json")) return of_stage;
  if (std::filesystem::exists(std::filesystem::path(stage_or_directory) / "config.json")) return stage_or_directory;
  fail(ErrorKind::config,
       "'{}' is neither an earlier stage of this run ({} does not exist) nor a model directory with a config.json",
       stage_or_directory, of_stage.string());
}

}  // namespace hone
