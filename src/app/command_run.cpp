#include <cstdio>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "base/error.h"
#include "base/format.h"
#include "report/console.h"
#include "stages/model_directory.h"

namespace hone {

namespace {

/// Prints evaluation rows to stdout.
class StdoutSink : public ReportSink {
 public:
  void write(const MetricRow& row) override {
    for (const auto& [name, value] : row.values) {
      if (name.starts_with("eval")) std::printf("%s\t%s\t%s\n", row.stage.c_str(), name.c_str(), format_metric(value).c_str());
    }
  }
};

std::string memory_estimate(const Model& model) {
  const std::int64_t parameters = model.store.parameters();
  const std::int64_t training = 16 * parameters;  // weights, gradients, two moments
  return fmt::format("{} for weights, gradients and moments + {} packed", format_bytes(training),
                     format_bytes(model.store.packed_bytes()));
}

void print_row(const std::string& key, const std::string& value) {
  fmt::print("  {:<30} {}\n", key, value);
}

}  // namespace

void command_run(const FileCommand& command, bool fresh) {
  const RootConfig config = load_root(command.file, command.overrides);
  prepare_process(config.run.threads);
  run_experiment(config, fresh);
}

void command_check(const FileCommand& command) {
  const RootConfig config = load_root(command.file, command.overrides);
  prepare_process(config.run.threads);
  const std::unique_ptr<Run> run = prepare_run(config);
  for (const auto& [name, unused] : config.data) {
    fmt::print("data {}\n", name);
    print_row("rows", run->dataset(name)->summary());
  }
  fmt::print("model\n");
  print_row("parameters", format_count(run->model->store.parameters()));
  print_row("vocabulary", format_count(run->tokenizer->vocab_size()));
  print_row("memory", memory_estimate(*run->model));
  for (const auto& stage : config.stages) {
    fmt::print("{}{}\n", stage->name, stage->name == stage->kind ? "" : " (" + stage->kind + ")");
    for (const auto& [key, value] : stage->arithmetic()) print_row(key, value);
  }
  prepare_stages(*run, config, 0);
  fmt::print("{}: valid; run it with: hone run {}\n", command.file, command.file);
}

void command_eval(const FileCommand& command, const std::optional<std::string>& model) {
  RootConfig config = load_root(command.file, command.overrides);
  if (model) config.model.path = *model;
  prepare_process(config.run.threads);
  const std::unique_ptr<Run> run = prepare_run(config);
  Console console(ConsoleOptions::standard_error());
  std::vector<std::unique_ptr<ReportSink>> sinks;
  sinks.push_back(std::make_unique<StdoutSink>());
  RunReport report(console, std::move(sinks));
  run->report = &report;
  bool any = false;
  for (const auto& stage : config.stages) {
    if (stage->kind != "eval") continue;
    any = true;
    report.stage_finished(stage->run(*run));
  }
  if (!any) fail(ErrorKind::config, "{}: there is no stage of kind eval to run", command.file);
}

}  // namespace hone
