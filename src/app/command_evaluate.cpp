#include <cmath>
#include <cstdio>
#include <filesystem>

#include "app/commands.h"
#include "app/evaluate_tasks.h"
#include "app/experiment.h"
#include "app/root_config.h"
#include "base/error.h"
#include "base/format.h"
#include "io/file.h"
#include "metrics/attempts.h"
#include "metrics/classification.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

/// A model directory, or of a run's directory the stage that ended last.
std::string model_place(const std::string& place) {
  if (fs::exists(fs::path(place) / "config.json")) return place;
  std::optional<fs::path> newest;
  if (fs::is_directory(fs::path(place) / "checkpoints")) {
    for (const fs::directory_entry& stage : fs::directory_iterator(fs::path(place) / "checkpoints")) {
      const fs::path final = stage.path() / "final";
      if (!fs::exists(final / "config.json") || stage.path().filename() == "initial") continue;
      if (!newest || fs::last_write_time(final / "config.json") > fs::last_write_time(*newest / "config.json")) newest = final;
    }
  }
  if (newest) return newest->string();
  fail(ErrorKind::usage, "{}: expected a model directory (config.json) or the directory of a run with a finished stage", place);
}

std::string figure(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-"; }

void print_results(const EvaluateCommand& command, const std::vector<MetricResult>& results) {
  const std::string share = fmt::format("{:g} % interval", 95.0);
  if (command.against.empty()) {
    Table table({{"metric"}, {"value", Align::right}, {share, Align::right}});
    for (const MetricResult& r : results) {
      table.add({r.name, figure(r.value),
                 r.interval ? fmt::format("{} … {}", figure(r.interval->low), figure(r.interval->high)) : "-"});
    }
    std::printf("%s", table.text().c_str());
    return;
  }
  Table table({{"metric"}, {"model", Align::right}, {"against", Align::right}, {"difference", Align::right},
               {share, Align::right}, {"p bootstrap", Align::right}, {"p randomised", Align::right}});
  for (const MetricResult& r : results) {
    const PairedDifference& d = *r.against;
    table.add({r.name, figure(d.first), figure(d.second), figure(d.difference),
               fmt::format("{} … {}", figure(d.interval.low), figure(d.interval.high)), figure(d.bootstrap_p),
               figure(d.randomization_p)});
  }
  std::printf("%s", table.text().c_str());
}

/// Per class what was found; a confusion matrix of at most `most` classes.
void print_classes(const EvaluatedRows& rows) {
  constexpr std::size_t most = 12;
  const std::vector<std::string>& classes = rows.classified.classes;
  ConfusionMatrix matrix(classes.size());
  for (std::size_t i = 0; i < rows.rows; ++i) matrix.add(rows.classified.labels[i], rows.classified.predictions[i]);
  const ClassificationScores scores = classification_scores(matrix);
  std::vector<Table::Column> columns{{"class"}, {"rows", Align::right}, {"precision", Align::right},
                                     {"recall", Align::right}, {"f1", Align::right}};
  const bool confusion = classes.size() <= most;
  for (std::size_t c = 0; confusion && c < classes.size(); ++c) columns.push_back({"→ " + classes[c], Align::right});
  Table table(std::move(columns));
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const ClassScores& one = scores.per_class[c];
    std::vector<std::string> cells{classes[c], format_count(one.support), figure(one.precision), figure(one.recall),
                                   figure(one.f1)};
    for (std::size_t p = 0; confusion && p < classes.size(); ++p) cells.push_back(format_count(matrix.count(c, p)));
    table.add(std::move(cells));
  }
  std::printf("\n%s", table.text().c_str());
}

Json interval_json(const Interval& interval) { return Json::Array{interval.low, interval.high}; }

Json to_json(const EvaluatedRows& rows, const std::vector<MetricResult>& results) {
  Json metrics = Json::object();
  for (const MetricResult& r : results) {
    Json one = Json::Object{{"value", r.value}};
    if (r.interval) one.set("interval", interval_json(*r.interval));
    if (r.against) {
      one.set("against", Json::Object{{"value", r.against->second}, {"difference", r.against->difference},
                                      {"interval", interval_json(r.against->interval)},
                                      {"p_bootstrap", r.against->bootstrap_p},
                                      {"p_randomization", r.against->randomization_p}});
    }
    metrics.set(r.name, one);
  }
  return Json::Object{{"task", rows.task}, {"rows", static_cast<std::int64_t>(rows.rows)}, {"metrics", metrics}};
}

/// How often the second system's answers get more reward than the first's.
Judgements judgements(const EvaluatedRows& both) {
  Judgements found;
  for (std::size_t i = 0; i < both.rows; ++i) {
    const double first = both.reward[i], second = both.reward[i + both.rows];
    ++(second > first ? found.wins : second < first ? found.losses : found.ties);
  }
  return found;
}

void write_outputs(const EvaluatedRows& rows, const std::string& file) {
  std::string lines;
  for (std::size_t i = 0; i < rows.rows; ++i) lines += rows.output(i).dump() + "\n";
  write_file_atomic(file, lines);
}

void check(const EvaluateCommand& command) {
  for (const std::int64_t k : command.k) {
    if (k < 1 || k > command.samples) fail(ErrorKind::usage, "--k is {}, expected at most --samples ({})", k, command.samples);
  }
  if (!command.generate && (!command.reward.empty() || command.samples > 1)) {
    fail(ErrorKind::usage, "--reward and --samples judge generated answers: add --generate");
  }
}

}  // namespace

EvaluatedRows evaluate_model(const std::string& directory, const Dataset& data, Split split,
                             const EvaluateCommand& command) {
  const std::size_t count = std::min(data.rows(split).size(), static_cast<std::size_t>(command.rows));
  EvaluatedRows out;
  if (command.generate) {
    evaluate_generation(directory, std::shared_ptr<const Dataset>(&data, [](const Dataset*) {}), split, count, command, out);
  } else {
    const TaskModel model(directory);
    model.model->score ? evaluate_head(model, data, split, count, out)
                       : evaluate_likelihood(model, data, split, count, out);
  }
  out.rows = out.task == "generation" ? out.texts.size() : out.task == "likelihood" ? out.likelihoods.size() : count;
  return out;
}

void command_evaluate(const EvaluateCommand& command) {
  check(command);
  prepare_process(0);
  const std::map<std::string, DataConfig> entries{{"file", data_entry(command.data, command.overrides)}};
  const Dataset data = load_dataset("file", entries, static_cast<std::uint64_t>(command.seed));
  const Split split = data.has(Split::held_out) ? Split::held_out : Split::train;
  EvaluatedRows rows = evaluate_model(model_place(command.model), data, split, command);
  if (!command.output.empty()) write_outputs(rows, command.output);
  if (!command.against.empty()) rows.append(evaluate_model(model_place(command.against), data, split, command));
  std::vector<std::int64_t> k = command.k;
  if (k.empty()) k.push_back(1);
  const Resampling resampling{.samples = command.resamples, .seed = static_cast<std::uint64_t>(command.seed)};
  const std::vector<MetricResult> results = evaluate(rows.metrics(k), rows.rows, !command.against.empty(), resampling);
  const bool judged = !command.against.empty() && !rows.reward.empty();
  const Judgements won = judged ? judgements(rows) : Judgements{};
  if (command.json) {
    Json json = to_json(rows, results);
    if (judged) json.set("win_rate_against", won.win_rate());
    std::puts(json.dump().c_str());
    return;
  }
  std::printf("%s of %s rows\n\n", rows.task.c_str(), format_count(static_cast<std::int64_t>(rows.rows)).c_str());
  print_results(command, results);
  if (judged) {
    std::printf("\n--against wins %s, ties %s, loses %s: win rate %.4f\n", format_count(won.wins).c_str(),
                format_count(won.ties).c_str(), format_count(won.losses).c_str(), won.win_rate());
  }
  if (rows.task == "text-classification" && command.against.empty()) print_classes(rows);
}

}  // namespace hone
