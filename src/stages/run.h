#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/fields.h"
#include "base/json.h"
#include "data/dataset.h"
#include "flow/services.h"
#include "nn/model.h"
#include "predict/pooling.h"
#include "report/run_report.h"
#include "stages/checkpoint.h"
#include "stages/stage.h"
#include "text/tokenizer.h"

namespace hone {

struct ModelDirectoryOptions;
class TrainerState;

/// `checkpoints:` of the file.
struct CheckpointsConfig {
  Seconds interval{300};
  std::int64_t keep = 2;
  void describe(Fields& f);
};

/// `report:` of the file.
struct ReportingConfig {
  std::int64_t samples = 8;
  void describe(Fields& f);
};

/// One experiment while it runs: what its stages share. src/app fills it in from the file and then calls the stages one
/// after the other.
class Run {
 public:
  std::uint64_t seed = 0;
  std::filesystem::path directory;  ///< runs/<name>
  kernels::Compute compute = kernels::Compute::float32;
  const Catalogs* catalogs = nullptr;       ///< borrowed; outlives the run
  std::map<std::string, DataConfig> data;   ///< the file's `data:` map
  std::string base_model;                   ///< directory of the model that the run begins with; empty: it makes one
  Json generation_config;                   ///< that directory's; null: it has none
  std::unique_ptr<PolicySpec> policy;       ///< the shape of the run's models
  TuningConfig tuning;                      ///< what of them is trained
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;             ///< the current weights
  RunReport* report = nullptr;              ///< borrowed; outlives the run
  std::function<std::shared_ptr<Executor>()> executor;  ///< see Services
  CheckpointsConfig checkpoints;
  ReportingConfig reporting;
  std::optional<ResumePoint> resume_point;  ///< of the stage to take up in the middle

  /// The data set of that name, loaded on first use. Error{config} when the file has none.
  std::shared_ptr<const Dataset> dataset(const std::string& name);

  /// How a text's hidden states become its vector, if the model was trained or published with that; saved with it.
  const std::optional<PoolingPlan>& pooling() const { return pooling_; }
  void use_pooling(std::optional<PoolingPlan> plan) { pooling_ = std::move(plan); }

  /// What environments and rewards of a stage are made with.
  Services services();

  /// Rebuilds the current model so that it has exactly these heads: weights that both have are kept, new heads drawn.
  Model& use_heads(const HeadPlan& plan);

  /// A frozen copy of the current model's trunk and LM head: the reference of a KL penalty.
  std::unique_ptr<Model> frozen_copy();

  /// Where a stage keeps its checkpoints; `step_N` and `final` are model directories.
  std::filesystem::path checkpoint_directory(const std::string& stage) const { return directory / "checkpoints" / stage; }

  /// Where the weights that the run began with are saved.
  std::filesystem::path initial_model() const { return checkpoint_directory("initial") / "final"; }

  /// The point at which this stage is to be taken up, once; nothing when it starts from its beginning.
  std::optional<ResumePoint> take_resume_point(const std::string& stage);

  /// Replaces the current weights by those of a checkpoint or another model directory of the run's own shape.
  void restore_model(const std::filesystem::path& place);

  /// Replaces the current weights by those that `stage` ended with, or that the run began with (`initial`, which src/app
  /// saves like a stage).
  void restore_stage(const std::string& stage);

  /// Saves the current weights of a stage that cannot go on, for people to look at; returns the place.
  std::filesystem::path save_failed(const std::string& stage);

  /// Saves the current model (weights, config.json, tokenizer) as a directory that transformers loads, with the record,
  /// whose files, stages and machine are filled in, and `state` when there is one. Replaces an older one atomically.
  void save_checkpoint(const std::filesystem::path& place, CheckpointRecord record, const TrainerState* state = nullptr);

  /// A model directory, or the `final` directory of the earlier stage of that name.
  std::filesystem::path model_place(const std::string& stage_or_directory) const;

 private:
  ModelDirectoryOptions directory_options(const CheckpointRecord& record) const;
  std::unique_ptr<TextScorer> make_scorer(const std::string& stage_or_directory, bool with_head);

  std::map<std::string, std::shared_ptr<const Dataset>> loaded_;
  std::optional<PoolingPlan> pooling_;
};

}  // namespace hone
