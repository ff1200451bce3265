#include "stages/eval.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/format.h"
#include "stages/model_kind.h"
#include "stages/stage_prompts.h"

namespace hone {

namespace {

/// Adds the figure to the summary when it was measured.
void add_headline(const MetricValues& metrics, std::string_view metric, std::string title, StageSummary& summary) {
  for (const auto& [name, value] : metrics) {
    if (name == metric) summary.held_out.push_back({.metric = title, .before = std::nullopt, .after = value});
  }
}

}  // namespace

void EvalSpec::describe_stage(Fields& f) {
  f.component("environment", generation.environment, "Answer the held-out prompts of this environment.");
  f.components("rewards", generation.rewards, "What judges the answers.");
  f.field("prompts", generation.prompts, "Held-out prompts, from the first; fewer when the split has fewer.",
          at_least(1));
  f.field("sampled", generation.sampled, "Report sampled completions beside the greedy ones.");
  f.section("sampling", generation.sampling,
            "How the sampled completions are drawn; greedy ones use its max_tokens and stop.");
  f.section("engine", generation.engine, "Generation.");
  f.field("samples", samples, "Greedy answers printed.", at_least(0));
  f.field("data", data, "Name of a data set whose held-out rows are measured: eval/loss, eval/perplexity.");
  f.field("rows", rows, "Rows of it, from the first; fewer when there are fewer.", at_least(1));
  f.field("tokens_per_pass", tokens_per_pass, "Most tokens of it computed at once.", at_least(1));
  f.check(generation.environment || data, "environment", "environment, data or both must be set");
  f.check((generation.environment != nullptr) == !generation.rewards.empty(), "rewards",
          "environment and rewards go together");
}

StageArithmetic EvalSpec::arithmetic() const {
  StageArithmetic lines;
  if (generation.environment) {
    lines.emplace_back("generation", fmt::format("≤ {} prompts × {} tokens{}", format_count(generation.prompts),
                                                 format_count(generation.sampling.max_tokens),
                                                 generation.sampled ? ", greedy and sampled" : ", greedy"));
  }
  if (data) lines.emplace_back("data", fmt::format("≤ {} rows of {}", format_count(rows), *data));
  return lines;
}

std::vector<std::string> EvalSpec::data_names() const {
  std::vector<std::string> names;
  if (data) names.push_back(*data);
  add_data_names(generation.environment.get(), names);
  return names;
}

StageStart EvalSpec::prepare(Run& run) const {
  if (generation.environment) generation.require_prompts(run, *generation.environment);
  std::vector<TokenExample> examples;
  if (data) examples = measured_rows(run);
  return [this, &run, examples = std::move(examples)] { return measure(run, examples); };
}

StageSummary EvalSpec::measure(Run& run, std::span<const TokenExample> examples) const {
  const auto start = std::chrono::steady_clock::now();
  StageSummary summary;
  summary.stage = name;
  run.report->stage_started(name, 0);
  MetricValues metrics;
  if (generation.environment) metrics = generate(run, summary);
  if (data) {
    const MetricValues measured = measure_data(run, examples, summary);
    metrics.insert(metrics.end(), measured.begin(), measured.end());
  }
  run.report->evaluated(0, metrics);
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary;
}

MetricValues EvalSpec::generate(Run& run, StageSummary& summary) const {
  const std::unique_ptr<Environment> environment = generation.environment->make(run.services());
  RewardSum rewards(generation.rewards, run.services());
  Evaluator evaluator(run, *environment, rewards, generation);
  MetricValues metrics = evaluator.evaluate();
  const std::span<const Episode> episodes = evaluator.episodes();
  run.report->samples(name + ": samples", episodes.first(std::min(episodes.size(), static_cast<std::size_t>(samples))));
  add_headline(metrics, "eval/reward", "reward (greedy)", summary);
  add_headline(metrics, "eval_sampled/reward", "reward (sampled)", summary);
  return metrics;
}

std::vector<TokenExample> EvalSpec::measured_rows(Run& run) const {
  TextSource source;
  source.data = data;
  const DataShape shape = run.dataset(*data)->shape();
  const bool answers = shape == DataShape::prompt_completion || shape == DataShape::messages;
  if (!answers) require_kind(run, name, {PolicyKind::decoder}, "measure it on rows of prompt+completion");
  std::vector<TokenExample> examples =
      load_held_out_texts(run, source, {.learned = answers ? Learned::completions : Learned::everything}, rows);
  if (examples.empty()) {
    fail(ErrorKind::config, "stages.{}.data: data.{} has no held-out rows; set its held_out share or held_out_path",
         name, *data);
  }
  return examples;
}

MetricValues EvalSpec::measure_data(Run& run, std::span<const TokenExample> examples, StageSummary& summary) const {
  for (const TokenExample& example : examples) summary.tokens += example.tokens();
  MetricValues metrics = language_model_metrics(*run.model, examples, tokens_per_pass);
  add_headline(metrics, "eval/loss", "loss", summary);
  return metrics;
}

}  // namespace hone
