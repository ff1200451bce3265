#include "app/experiment.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <optional>
#include <thread>
#include <utility>

#include <fmt/ranges.h>

#include "app/catalog.h"
#include "app/environment_record.h"
#include "app/run_directory.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/stop.h"
#include "base/threads.h"
#include "data/prepare_rows.h"
#include "io/generation_config.h"
#include "kernels/isa.h"
#include "kernels/tensor_memory.h"
#include "plugin/process.h"
#include "report/console.h"
#include "report/html_report.h"
#include "report/metrics_jsonl.h"
#include "report/samples_jsonl.h"
#include "report/tensorboard.h"
#include "stages/model_directory.h"
#include "text/bpe_trainer.h"
#include "text/byte_tokenizer.h"
#include "text/chat_format.h"
#include "text/tokenizer_json.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

std::unique_ptr<Tokenizer> train_tokenizer(const Dataset& data, std::int64_t vocabulary) {
  BpeTrainer trainer(default_bpe_options(vocabulary));
  for (const DataRow& row : data.rows(Split::train)) {
    for (const std::string* text : row_texts(row)) trainer.add(*text);
    trainer.add(fmt::format("{}", fmt::join(row.tokens, " ")));
  }
  return trainer.train();
}

std::unique_ptr<Tokenizer> plain_tokenizer(const RootConfig& config, Run& run) {
  if (config.tokenizer.train_on) {
    return train_tokenizer(*run.dataset(*config.tokenizer.train_on), config.tokenizer.vocabulary);
  }
  if (config.tokenizer.path) return load_tokenizer(*config.tokenizer.path);
  if (config.model.path) return load_tokenizer(*config.model.path);
  return byte_tokenizer();
}

std::unique_ptr<Tokenizer> open_tokenizer(const RootConfig& config, Run& run) {
  std::unique_ptr<Tokenizer> tokenizer = plain_tokenizer(config, run);
  if (config.tokenizer.chat_template) tokenizer->set_chat(ChatFormat::given(*config.tokenizer.chat_template));
  return tokenizer;
}

void check_vocabulary(const RootConfig& config, PolicySpec& spec, const Tokenizer& tokenizer) {
  if (spec.vocabulary() == 0) spec.vocabulary() = tokenizer.vocab_size();
  if (spec.vocabulary() >= tokenizer.vocab_size()) return;
  fail(ErrorKind::config, "{}: the model has {} token ids but the tokenizer has {}; use the tokenizer that the model was "
       "trained with", config.model.path.value_or("model.architecture.vocabulary"), spec.vocabulary(),
       tokenizer.vocab_size());
}

/// Says from where, and why it is not the same to the bit if so.
void tell_resume(const ResumePoint& point, const Run& run) {
  for (const std::string& problem : point.rejected) log_warn("damaged, not used: {}", problem);
  log_info("going on from {}", point.place.string());
  const std::vector<std::string> differences =
      machine_differences(machine_record(run.compute == kernels::Compute::bfloat16), point.record.machine);
  if (!differences.empty()) log_warn("not bit-exact because something changed: {}", fmt::join(differences, "; "));
}

/// Puts the run where `point` says. Returns the index of the stage to go on with.
std::size_t resume(Run& run, RunReport& report, const ResumePoint& point) {
  tell_resume(point, run);
  report.restore_summaries(point.record.stages);
  run.restore_model(point.place);
  run.model->store.set_version(point.record.updates);
  if (point.mid_stage()) run.resume_point = point;
  return point.stage;
}

/// The stages from `first` on, each leaving its `final` checkpoint; `start` is the first one's.
void run_stages(Run& run, RunReport& report, const RootConfig& config, std::size_t first, StageStart start) {
  for (std::size_t i = first; i < config.stages.size(); ++i) {
    const StageSpec& stage = *config.stages[i];
    throw_if_stopped();
    if (i > first) {
      if (stage.from) run.restore_stage(*stage.from);
      LogHold told;  // what prepare_stages has told already
      start = stage.prepare(run);
      told.drop();
    }
    StageSummary summary = std::exchange(start, nullptr)();
    report.stage_finished(std::move(summary));
    run.save_checkpoint(run.checkpoint_directory(stage.name) / "final", {.stage = stage.name, .finished = true});
    refresh_report(run.directory);
  }
}

}  // namespace

void prepare_process(std::int64_t threads) {
  // Page faults of buffers that malloc returns to the kernel after every operation cost more than the operations.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
  kernels::use_tensor_memory();
  at::set_num_threads(1);
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  set_threads(static_cast<int>(threads == 0 ? cores : threads));
}

kernels::Compute compute_of(ComputeChoice choice) {
  const bool wants = choice == ComputeChoice::bfloat16 ||
                     (choice == ComputeChoice::automatic && kernels::has_bfloat16());
  return wants ? kernels::Compute::bfloat16 : kernels::Compute::float32;
}

std::function<std::shared_ptr<Executor>()> lazy_sandbox(const SandboxConfig& config) {
  return [config, sandbox = std::shared_ptr<Executor>()]() mutable {
    if (sandbox == nullptr) {
      sandbox = make_sandbox(config, plugin_host().string());
      log_info("sandbox: {}", sandbox->layers());
    }
    return sandbox;
  };
}

std::unique_ptr<Run> prepare_run(const RootConfig& config) {
  auto run = std::make_unique<Run>();
  run->executor = lazy_sandbox(config.sandbox);
  run->seed = static_cast<std::uint64_t>(config.run.seed);
  run->directory = config.run_directory();
  run->catalogs = &built_in();
  run->compute = compute_of(config.model.compute);
  run->tuning = config.model.tuning;
  for (const auto& [name, data] : config.data) run->data.emplace(name, data);
  run->tokenizer = open_tokenizer(config, *run);
  if (config.model.path) {
    run->policy = read_policy_spec(*config.model.path, built_in());
    run->base_model = *config.model.path;
    run->generation_config = stored_generation_config(*config.model.path);
    run->use_pooling(read_pooling_plan(*config.model.path));
  } else {
    run->policy = config.model.architecture->clone();
  }
  check_vocabulary(config, *run->policy, *run->tokenizer);
  const HeadPlan heads = config.model.path ? read_head_plan(*config.model.path) : HeadPlan{};
  run->model = std::make_unique<Model>(*run->policy, heads, run->compute, true, run->tuning);
  run->model->store.initialize(run->seed);
  if (config.model.path) {
    load_weights(*run->model, *config.model.path);
  } else {
    run->model->store.refresh();
  }
  return run;
}

StageStart prepare_stages(Run& run, const RootConfig& config, std::size_t first) {
  StageStart start;
  const std::optional<PoolingPlan> pooling = run.pooling();
  for (std::size_t i = first; i < config.stages.size(); ++i) {
    StageStart prepared = config.stages[i]->prepare(run);
    if (i == first) start = std::move(prepared);
    run.use_pooling(std::nullopt);  // of later stages it is not known how much of a text they will read
  }
  run.use_pooling(pooling);
  return start;
}

void run_experiment(const RootConfig& config, bool fresh) {
  const StopSignals signals(config.run.stop_grace.count);
  std::unique_ptr<Run> run = prepare_run(config);
  std::optional<LogHold> hold(std::in_place);  // until there is a log file
  const bool goes_on = !fresh && RunDirectory::begun(config);
  StageStart start;
  if (!goes_on) start = prepare_stages(*run, config, 0);  // bad data is told before anything is made
  const RunDirectory directory(config, fresh);
  set_log_file((directory.path() / "log.txt").string());
  hold.reset();
  Console console(ConsoleOptions::standard_error());
  std::vector<std::unique_ptr<ReportSink>> sinks;
  const auto kept = [&directory](const char* file) { return directory.kept_bytes(file); };
  sinks.push_back(std::make_unique<MetricsJsonl>(directory.path() / "metrics.jsonl", kept("metrics.jsonl")));
  sinks.push_back(std::make_unique<SamplesJsonl>(directory.path() / "samples.jsonl", kept("samples.jsonl")));
  sinks.push_back(std::make_unique<TensorBoard>(directory.path() / "tensorboard"));
  RunReport report(console, std::move(sinks));
  run->report = &report;
  run->checkpoints = config.checkpoints;
  run->reporting = config.report;
  record_environment(directory.path(), config, *run);
  log_info("{}: {} parameters, {} matrix products, {} threads, seed {}", config.run.name,
           format_count(run->model->store.parameters()),
           run->compute == kernels::Compute::bfloat16 ? "bfloat16" : "float32", threads(), config.run.seed);
  std::size_t first = 0;
  const auto save_adapters_alone = [&run] {
    if (!run->tuning.lora.enabled()) return;
    run->tuning.base_model = run->model->tuning.base_model = std::filesystem::absolute(run->initial_model()).string();
  };
  if (directory.resume_point()) {
    save_adapters_alone();
    first = resume(*run, report, *directory.resume_point());
    if (first == config.stages.size()) {
      log_info("every stage has finished; --fresh runs them anew");
    } else if (config.stages[first]->from && !run->resume_point) {
      run->restore_stage(*config.stages[first]->from);
    }
  } else {
    run->save_checkpoint(run->initial_model(), {.stage = "initial", .finished = true});
    save_adapters_alone();
  }
  if (goes_on) start = prepare_stages(*run, config, first);
  try {
    run_stages(*run, report, config, first, std::move(start));
  } catch (const Error&) {
    refresh_report(directory.path());
    throw;
  }
  report.print_summary();
}

}  // namespace hone
