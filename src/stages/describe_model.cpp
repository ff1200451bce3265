#include "stages/describe_model.h"

#include <cmath>
#include <filesystem>

#include <fmt/ranges.h>

#include "base/format.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// The task that a hub lists the model under.
std::string pipeline_tag(const Model& model) {
  if (model.score) {
    switch (model.score->kind()) {
      case HeadKind::tokens: return "token-classification";
      case HeadKind::spans: return "question-answering";
      default: return "text-classification";
    }
  }
  const PolicyKind kind = model.policy->shape().kind;
  if (!model.plan.lm || !model.policy->lm_head().defined()) return "feature-extraction";
  if (kind == PolicyKind::encoder) return "fill-mask";
  return kind == PolicyKind::encoder_decoder ? "text2text-generation" : "text-generation";
}

std::vector<std::string> stages_of(const CheckpointRecord& record) {
  std::vector<std::string> names;
  for (const StageSummary& stage : record.stages) names.push_back(stage.stage);
  if (names.empty() || names.back() != record.stage) names.push_back(record.stage);
  return names;
}

std::string description(const Run& run, const CheckpointRecord& record) {
  const bool fresh = record.stage == "initial";
  if (fresh) return "The weights that a run of hone began with.";
  const std::string when = record.finished ? fmt::format("the end of the stage `{}`", record.stage)
                                           : fmt::format("step {} of the stage `{}`, which had not ended", record.step, record.stage);
  return fmt::format("Trained by hone: the weights at {}.{}", when,
                     run.model->tuning.base_model.empty() ? "" : " An adapter: load it together with its base model.");
}

void add_results(ModelCard& card, const CheckpointRecord& record) {
  for (const StageSummary& stage : record.stages) {
    for (const HeldOut& held_out : stage.held_out) {
      if (!held_out.after || !std::isfinite(*held_out.after)) continue;
      card.results.push_back({held_out.metric, "held out, after " + stage.stage, *held_out.after});
    }
  }
}

void add_data(ModelCard& card, const Run& run) {
  for (const auto& [name, data] : run.data) {
    card.training.emplace_back("Data `" + name + "`", fs::path(data.path).filename().string());
  }
}

}  // namespace

std::string hub_name(const std::string& path) {
  constexpr std::string_view mark = "models--";
  for (const fs::path& folder : fs::path(path)) {
    const std::string name = folder.string();
    const std::size_t between = name.find("--", mark.size());
    if (!name.starts_with(mark)) continue;
    if (between == std::string::npos) return name.substr(mark.size());
    return name.substr(mark.size(), between - mark.size()) + "/" + name.substr(between + 2);
  }
  return "";
}

ModelCard card_of(const Model& model) {
  ModelCard card{.name = model.policy->hf_class(model.score ? std::optional(model.score->kind()) : std::nullopt),
                 .pipeline_tag = pipeline_tag(model),
                 .tags = {"hone"},
                 .adapter = !model.tuning.base_model.empty()};
  if (card.adapter) card.tags.emplace_back("lora");
  card.training.emplace_back("Class", card.name);
  card.training.emplace_back("Parameters", format_count(model.store.parameters()));
  if (!model.plan.labels.empty()) card.training.emplace_back("Labels", fmt::format("{}", fmt::join(model.plan.labels, ", ")));
  return card;
}

ModelCard card_of(const Run& run, const CheckpointRecord& record) {
  ModelCard card = card_of(*run.model);
  card.name = run.directory.filename().string() + ": " + record.stage;
  card.base_model = hub_name(run.base_model);
  card.description = description(run, record);
  add_results(card, record);
  card.training.emplace_back("Base model", run.base_model.empty() ? "none: random weights" : run.base_model);
  if (record.stage == "initial") return card;
  card.training.emplace_back("Stages", fmt::format("{}", fmt::join(stages_of(record), ", ")));
  add_data(card, run);
  card.training.emplace_back("Updates", format_count(record.updates));
  card.training.emplace_back("Seed", std::to_string(run.seed));
  card.training.emplace_back("Matrix products", run.compute == kernels::Compute::bfloat16 ? "bfloat16" : "float32");
  return card;
}

}  // namespace hone
