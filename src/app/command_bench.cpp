#include <algorithm>
#include <cstdio>

#include "app/bench_measures.h"
#include "app/catalog.h"
#include "app/commands.h"
#include "app/experiment.h"
#include "app/generator.h"
#include "app/machine.h"
#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/threads.h"
#include "stages/model_directory.h"

namespace hone {

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void print_figure(const BenchFigure& figure, bool json) {
  const double middle = median(figure.rates);
  const auto [least, most] = std::ranges::minmax(figure.rates);
  if (json) {
    Json line = Json::object();
    line.set("row", figure.name);
    line.set("unit", figure.unit);
    line.set("median", middle);
    line.set("min", least);
    line.set("max", most);
    line.set("limit", figure.limit);
    line.set("limited_by", figure.limited_by);
    std::puts(line.dump().c_str());
    return;
  }
  fmt::print("{:14} {:>12.0f} {:9} ({:.0f} … {:.0f})", figure.name, middle, figure.unit, least, most);
  if (figure.limit > 0) {
    fmt::print("  {:4.0f} % of {:.0f}, {}", 100 * middle / figure.limit, figure.limit, figure.limited_by);
  }
  fmt::print("\n");
}

void print_machine(const kernels::Calibration& peak, bool json) {
  if (json) {
    Json line = Json::object();
    line.set("cpu", cpu_model());
    line.set("threads", static_cast<std::int64_t>(threads()));
    line.set("float32_gflops", peak.float32_gflops);
    line.set("bfloat16_gflops", peak.bfloat16_gflops);
    line.set("gemm_float32_gflops", peak.gemm_float32_gflops);
    line.set("gemm_bfloat16_gflops", peak.gemm_bfloat16_gflops);
    line.set("bandwidth_gb_s", peak.bandwidth_gb_s);
    std::puts(line.dump().c_str());
    return;
  }
  fmt::print("{}, {} threads: GEMM {:.0f} GFLOP/s float32, {:.0f} bfloat16; memory {:.1f} GB/s\n", cpu_model(), threads(),
             peak.gemm_float32_gflops, peak.gemm_bfloat16_gflops, peak.bandwidth_gb_s);
}

void print_figures(const std::vector<BenchFigure>& figures, bool json) {
  for (const BenchFigure& figure : figures) print_figure(figure, json);
}

SharedPromptShape shared_prompt_shape(const BenchCommand& command) {
  SharedPromptShape shape = log_normal_completions();
  if (command.lengths.empty()) return shape;
  shape.lengths = command.lengths;
  if (command.lengths.size() % static_cast<std::size_t>(shape.prompts) != 0) {
    fail(ErrorKind::usage, "--lengths has {} numbers: expected as many for each of the {} prompts", command.lengths.size(),
         shape.prompts);
  }
  return shape;
}

void check_context(const BenchCommand& command, const SharedPromptShape& shared, std::int64_t context) {
  const std::int64_t of_shared = command.measures("shared_prompts") ? shared.prompt + std::ranges::max(shared.lengths) : 0;
  const std::int64_t longest = std::max({command.length, command.prompt + command.new_tokens, of_shared});
  if (longest <= context) return;
  fail(ErrorKind::usage, "sequences of {} tokens, the model's context is {}: lower --length, or --prompt and --new, or "
       "choose with --only", longest, context);
}

void bench_inference(Generator& generator, const BenchCommand& command, const BenchShape& shape,
                     const SharedPromptShape& shared, const kernels::Calibration& peak) {
  const int repetitions = static_cast<int>(command.repetitions);
  Model& model = *generator.model;
  if (command.measures("generation")) {
    Engine engine(model, *generator.tokenizer, {.slots = command.batch});
    print_figures(bench_generation(engine, model, shape, peak, repetitions), command.json);
  }
  if (command.measures("shared_prompts")) {
    const auto completions = static_cast<std::int64_t>(shared.lengths.size());
    Engine engine(model, *generator.tokenizer, {.slots = completions, .kv_memory = {std::max(EngineConfig{}.kv_memory.count, available_memory() / 2)}});
    print_figures(bench_shared_prompts(engine, model, shared, peak, repetitions), command.json);
  }
  if (command.measures("sampling")) {
    const std::int64_t vocabulary = command.vocabulary > 0 ? command.vocabulary : model.policy->shape().vocabulary;
    print_figure(bench_sampling(command.batch, vocabulary, peak, 4 * repetitions), command.json);
  }
  if (command.measures("scoring")) print_figures(bench_scoring(model, shape, peak, repetitions), command.json);
}

}  // namespace

void command_bench(const BenchCommand& command) {
  auto generator = std::make_unique<Generator>(command.model, command.compute);
  const PolicyShape& policy = generator->model->policy->shape();
  if (policy.kind != PolicyKind::decoder) {
    fail(ErrorKind::usage, "{}: hone bench measures models that continue a text; this one is an encoder or has one",
         command.model);
  }
  const SharedPromptShape shared = shared_prompt_shape(command);
  check_context(command, shared, policy.context);
  const kernels::Calibration peak = kernels::calibrate();
  print_machine(peak, command.json);
  const BenchShape shape{command.batch, command.prompt, command.new_tokens, command.rows, command.length};
  bench_inference(*generator, command, shape, shared, peak);
  const kernels::Compute compute = generator->model->store.compute();
  if (!command.measures("training") || compute == kernels::Compute::int8) return;  // int8 is for generation alone
  generator.reset();
  Model trained(*read_policy_spec(command.model, built_in()), HeadPlan{}, compute, true);
  load_weights(trained, command.model);
  const int repetitions = static_cast<int>(command.repetitions);
  print_figures(bench_training(trained, shape, peak, repetitions), command.json);
}

}  // namespace hone
