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
  fmt::print("{:14} {:>12.0f} {:9} ({:.0f} … {:.0f})  {:4.0f} % of {:.0f}, {}\n", figure.name, middle, figure.unit, least,
             most, 100 * middle / figure.limit, figure.limit, figure.limited_by);
}

void print_machine(const kernels::Calibration& peak, bool json) {
  if (json) {
    Json line = Json::object();
    line.set("cpu", cpu_model());
    line.set("threads", static_cast<std::int64_t>(threads()));
    line.set("gemm_float32_gflops", peak.gemm_float32_gflops);
    line.set("gemm_bfloat16_gflops", peak.gemm_bfloat16_gflops);
    line.set("bandwidth_gb_s", peak.bandwidth_gb_s);
    std::puts(line.dump().c_str());
    return;
  }
  fmt::print("{}, {} threads: GEMM {:.0f} GFLOP/s float32, {:.0f} bfloat16; memory {:.1f} GB/s\n", cpu_model(), threads(),
             peak.gemm_float32_gflops, peak.gemm_bfloat16_gflops, peak.bandwidth_gb_s);
}

void bench_inference(Generator& generator, const BenchCommand& command, const BenchShape& shape,
                     const kernels::Calibration& peak) {
  const int repetitions = static_cast<int>(command.repetitions);
  Model& model = *generator.model;
  Engine engine(model, *generator.tokenizer, {.slots = command.batch});
  for (const BenchFigure& figure : bench_generation(engine, model, shape, peak, repetitions)) {
    print_figure(figure, command.json);
  }
  print_figure(bench_sampling(command.batch, model.policy->shape().vocabulary, peak, 4 * repetitions), command.json);
  print_figure(bench_scoring(model, shape, peak, repetitions), command.json);
}

}  // namespace

void command_bench(const BenchCommand& command) {
  auto generator = std::make_unique<Generator>(command.model, command.compute);
  const PolicyShape& policy = generator->model->policy->shape();
  if (policy.kind != PolicyKind::decoder) {
    fail(ErrorKind::usage, "{}: hone bench measures models that continue a text; this one is an encoder or has one",
         command.model);
  }
  const std::int64_t longest = std::max(command.length, command.prompt + command.new_tokens);
  if (longest > policy.context) {
    fail(ErrorKind::usage, "sequences of {} tokens, the model's context is {}: lower --length or --prompt and --new",
         longest, policy.context);
  }
  const kernels::Calibration peak = kernels::calibrate();
  print_machine(peak, command.json);
  const BenchShape shape{command.batch, command.prompt, command.new_tokens, command.rows, command.length};
  if (command.only != "training") bench_inference(*generator, command, shape, peak);
  const kernels::Compute compute = generator->model->store.compute();
  if (command.only == "generation" || compute == kernels::Compute::int8) return;  // int8 is for generation alone
  generator.reset();
  Model trained(*read_policy_spec(command.model, built_in()), HeadPlan{}, compute, true);
  load_weights(trained, command.model);
  const int repetitions = static_cast<int>(command.repetitions);
  for (const BenchFigure& figure : bench_training(trained, shape, peak, repetitions)) print_figure(figure, command.json);
}

}  // namespace hone
