#include "app/bench_measures.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "kernels/adamw/adamw.h"
#include "kernels/sample/sample.h"
#include "optim/optimizer.h"
#include "stages/packed_forward.h"
#include "stages/stopwatch.h"

namespace hone {

namespace {

constexpr std::uint64_t bench_key = 20;

std::vector<std::int32_t> random_ids(std::int64_t count, std::int64_t vocabulary, std::uint64_t stream) {
  Random random(bench_key, stream);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary)));
  return ids;
}

/// `samples` requests for each of `prompts` prompts.
std::vector<Request> random_requests(const Model& model, std::int64_t prompts, std::int64_t tokens,
                                     std::int64_t samples) {
  std::vector<Request> requests;
  for (std::int64_t prompt = 0; prompt < prompts; ++prompt) {
    const auto id = static_cast<std::uint64_t>(prompt);
    const Request request{.context = random_ids(tokens, model.policy->shape().vocabulary, id),
                          .key = bench_key,
                          .prompt_id = id};
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      requests.push_back(request);
      requests.back().sample = static_cast<std::uint32_t>(sample);
    }
  }
  return requests;
}

/// Sampling without an end: models that have an end of sequence may not draw it.
SamplingConfig endless(const Engine& engine, std::int64_t tokens) {
  SamplingConfig sampling;
  sampling.max_tokens = tokens;
  if (!engine.ends(sampling).empty()) sampling.min_tokens = tokens;
  return sampling;
}

/// Of this process, in MiB: VmRSS is what it holds, VmHWM the most that it has held.
double memory_mib(std::string_view field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  fail(ErrorKind::io, "/proc/self/status: there is no {}", field);
}

/// The most memory that `pass` held beyond what there was before it.
template <class Pass>
double added_mib(const Pass& pass) {
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM begins anew
  const double before = memory_mib("VmRSS");
  pass();
  return memory_mib("VmHWM") - before;
}

/// `rows` sequences of random ids; every id but the first is predicted.
Batch random_batch(const Model& model, const BenchShape& shape) {
  const std::vector<std::int32_t> ids = random_ids(shape.rows * shape.length, model.policy->shape().vocabulary, 1);
  Batch batch;
  batch.ids_T = stream_tensor(ids, at::kInt);
  batch.position_T = at::arange(shape.length, at::kInt).repeat({shape.rows});
  batch.start_S1 = at::arange(shape.rows + 1, at::kInt) * shape.length;
  batch.target_T = at::roll(batch.ids_T, -1).to(at::kLong);
  batch.mask_T = (batch.position_T < shape.length - 1).to(at::kFloat);
  return batch;
}

double gemm_peak(const Model& model, const kernels::Calibration& peak) {
  const bool narrow = model.store.compute() != kernels::Compute::float32 && peak.gemm_bfloat16_gflops > 0;
  return 1e9 * (narrow ? peak.gemm_bfloat16_gflops : peak.gemm_float32_gflops);
}

void limit_by_products(BenchFigure& figure, double operations_a_token, double peak) {
  figure.limit = peak / operations_a_token;
  figure.limited_by = "matrix products";
}

void limit_decoding(BenchFigure& figure, const Model& model, const BenchShape& shape,
                    const kernels::Calibration& peak) {
  const TokenWork work = token_work(model);
  const auto batch = static_cast<double>(shape.batch);
  const double reading = work.weight_bytes / (1e9 * peak.bandwidth_gb_s);
  const double computing = 2 * work.multiply_adds() * batch / gemm_peak(model, peak);
  figure.limit = batch / std::max(reading, computing);
  figure.limited_by = reading > computing ? "reading weights" : "matrix products";
}

/// Adds the gradient of one batch's mean negative log-likelihood.
void add_gradient(Model& model, const Batch& batch) {
  const at::Tensor row_M = at::nonzero(batch.mask_T).squeeze(1);
  const at::Tensor hidden_MD = take_rows(batch_hidden(model, batch), row_M);
  const at::Tensor target_M = batch.target_T.index_select(0, row_M);
  const at::Tensor logprob_M = model.policy->lm_head().token_statistics(hidden_MD, target_M, 1.0, false).logprob_M;
  logprob_M.mean().neg().backward();
}

/// A rate of updates, limited by the memory traffic of AdamW.
BenchFigure update_figure(std::string name, const kernels::Calibration& peak) {
  constexpr double bytes_a_value = 28;  // weight, gradient and two moments: four reads, three writes
  BenchFigure figure{.name = std::move(name), .unit = "values/s"};
  figure.limit = 1e9 * peak.bandwidth_gb_s / bytes_a_value;
  figure.limited_by = "memory";
  return figure;
}

/// AdamW alone, on the arenas of an optimizer that has it.
BenchFigure bench_adamw(Model& model, const Optimizer& optimizer, const kernels::Calibration& peak, int repetitions) {
  BenchFigure figure = update_figure("adamw", peak);
  const at::NoGradGuard no_grad;
  const at::Tensor grad = model.store.grads();
  at::Tensor weight = model.store.weights().narrow(0, 0, grad.numel());
  const auto moments = optimizer.state();
  at::Tensor first = moments.at(0).second, second = moments.at(1).second;
  for (int i = 0; i <= repetitions; ++i) {
    const Stopwatch watch;
    kernels::adamw_update(weight, grad, first, second, {.learning_rate = 1e-5, .step = repetitions + i + 2});
    if (i > 0) figure.rates.push_back(static_cast<double>(model.store.trained_parameters()) / watch.seconds());
  }
  return figure;
}

}  // namespace

TokenWork token_work(const Model& model) {
  TokenWork work;
  for (const Segment& segment : model.store.segments()) {
    if (!segment.matrix) continue;
    const auto values = static_cast<double>(segment.count());
    const bool is_head = segment.lookup || segment.role == SegmentRole::lm_head;
    (is_head ? work.lm_head : work.trunk) += values;
    work.weight_bytes += values * (model.store.compute() == kernels::Compute::float32 ? 4 : 2);
  }
  return work;
}

std::vector<BenchFigure> bench_generation(Engine& engine, const Model& model, const BenchShape& shape,
                                          const kernels::Calibration& peak, int repetitions) {
  BenchFigure prefill{.name = "prefill"};
  BenchFigure decode{.name = "decode"};
  BenchFigure whole{.name = "generate"};
  const TokenWork work = token_work(model);  // logits of a prompt's last token alone
  limit_by_products(prefill, 2 * (work.trunk + work.lm_head / static_cast<double>(shape.prompt)), gemm_peak(model, peak));
  limit_decoding(decode, model, shape, peak);
  const auto new_tokens = static_cast<double>(shape.new_tokens);
  whole.limit = new_tokens / ((new_tokens - 1) / decode.limit + static_cast<double>(shape.prompt) / prefill.limit);
  whole.limited_by = "both";
  const SamplingConfig sampling = endless(engine, shape.new_tokens);
  const std::vector<Request> requests = random_requests(model, shape.batch, shape.prompt, 1);
  const auto prompt_tokens = static_cast<double>(shape.batch * shape.prompt);
  const auto decoded_tokens = static_cast<double>(shape.batch * (shape.new_tokens - 1));
  for (int i = 0; i <= repetitions; ++i) {
    const Stopwatch watch;
    std::int64_t tokens = 0;
    double first_tokens = 0;
    engine.generate(requests, sampling, [&](std::size_t, std::int32_t) {
      if (++tokens == shape.batch) first_tokens = watch.seconds();
    });
    if (i == 0) continue;  // warms up
    prefill.rates.push_back(prompt_tokens / first_tokens);
    const double seconds = watch.seconds();
    decode.rates.push_back(decoded_tokens / (seconds - first_tokens));
    whole.rates.push_back(static_cast<double>(tokens) / seconds);
  }
  return {std::move(prefill), std::move(decode), std::move(whole)};
}

SharedPromptShape log_normal_completions() {
  SharedPromptShape shape;
  Random random(1);
  for (std::int64_t i = 0; i < 16 * shape.prompts; ++i) {
    shape.lengths.push_back(std::clamp<std::int64_t>(std::llround(std::exp(4 + 0.8 * random.normal())), 8, 256));
  }
  return shape;
}

std::vector<BenchFigure> bench_shared_prompts(Engine& engine, const Model& model, const SharedPromptShape& shape,
                                              const kernels::Calibration& peak, int repetitions) {
  const auto completions = static_cast<std::int64_t>(shape.lengths.size());
  HONE_ASSERT(completions > 0 && completions % shape.prompts == 0);
  const auto tokens = static_cast<double>(std::accumulate(shape.lengths.begin(), shape.lengths.end(), std::int64_t{0}));
  const auto longest = std::ranges::max(shape.lengths);
  const TokenWork work = token_work(model);
  const auto prompt_tokens = static_cast<double>(shape.prompts * shape.prompt);
  const double reading = static_cast<double>(longest) * work.weight_bytes / (1e9 * peak.bandwidth_gb_s);
  const double computing = 2 * work.multiply_adds() * tokens / gemm_peak(model, peak);
  BenchFigure rate{.name = "shared prompts"};
  rate.limit = tokens / (2 * work.trunk * prompt_tokens / gemm_peak(model, peak) + std::max(reading, computing));
  rate.limited_by = "prompts once, then products or weights";
  BenchFigure reuse{.name = "prompt reuse", .unit = "times"};
  reuse.limit = static_cast<double>(completions / shape.prompts);
  reuse.limited_by = "completions of a prompt";
  std::vector<Request> requests = random_requests(model, shape.prompts, shape.prompt, completions / shape.prompts);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].budget = shape.lengths[i];
  const SamplingConfig sampling = endless(engine, longest);
  for (int i = 0; i <= repetitions; ++i) {
    const std::int64_t before = engine.prefilled_tokens();
    const Stopwatch watch;
    engine.generate(requests, sampling);
    if (i == 0) continue;  // warms up
    rate.rates.push_back(tokens / watch.seconds());
    reuse.rates.push_back(static_cast<double>(completions * shape.prompt) /
                          static_cast<double>(engine.prefilled_tokens() - before));
  }
  return {std::move(rate), std::move(reuse)};
}

std::vector<BenchFigure> bench_scoring(Model& model, const BenchShape& shape, const kernels::Calibration& peak,
                                       int repetitions) {
  const at::NoGradGuard no_grad;
  BenchFigure figure{.name = "score"};
  BenchFigure memory{.name = "score memory", .unit = "MiB"};
  limit_by_products(figure, 2 * token_work(model).multiply_adds(), gemm_peak(model, peak));
  const Batch batch = random_batch(model, shape);
  const auto pass = [&] { batch_logprobs(model, batch, 1.0, batch.tokens()); };
  memory.rates.push_back(added_mib(pass));
  for (int i = 0; i < repetitions; ++i) {
    const Stopwatch watch;
    pass();
    figure.rates.push_back(static_cast<double>(batch.tokens()) / watch.seconds());
  }
  return {std::move(figure), std::move(memory)};
}

std::vector<BenchFigure> bench_training(Model& model, const BenchShape& shape, const kernels::Calibration& peak,
                                        int repetitions) {
  BenchFigure train{.name = "train"};
  BenchFigure update = update_figure("optimizer", peak);
  limit_by_products(train, 6 * token_work(model).multiply_adds(), gemm_peak(model, peak));
  OptimizerConfig config;
  config.learning_rate = 1e-5;
  Optimizer optimizer(model.store, config, repetitions + 1);
  const Batch batch = random_batch(model, shape);
  for (int i = 0; i <= repetitions; ++i) {
    const Stopwatch watch;
    add_gradient(model, batch);
    const double gradient = watch.seconds();
    optimizer.step();
    if (i == 0) continue;
    train.rates.push_back(static_cast<double>(batch.tokens()) / watch.seconds());
    update.rates.push_back(static_cast<double>(model.store.trained_parameters()) / (watch.seconds() - gradient));
  }
  add_gradient(model, batch);
  return {std::move(train), std::move(update), bench_adamw(model, optimizer, peak, repetitions)};
}

BenchFigure bench_sampling(std::int64_t batch, std::int64_t vocabulary, const kernels::Calibration& peak,
                           int repetitions) {
  BenchFigure figure{.name = "sample top-p"};
  figure.limit = 1e9 * peak.bandwidth_gb_s / (4.0 * static_cast<double>(vocabulary));
  figure.limited_by = "one pass over the logits";
  const at::Tensor logits_BV = at::randn({batch, vocabulary}) * 3;
  const std::vector<kernels::SampleRule> rules(static_cast<std::size_t>(batch), {1.0F, 0, 0.9F, 0.0F});
  std::vector<double> uniforms(static_cast<std::size_t>(batch));
  std::vector<kernels::Sampled> out(static_cast<std::size_t>(batch));
  Random random(bench_key);
  for (int i = 0; i <= repetitions; ++i) {
    for (double& uniform : uniforms) uniform = random.uniform();
    const Stopwatch watch;
    kernels::sample(logits_BV, rules, uniforms, out);
    if (i > 0) figure.rates.push_back(static_cast<double>(batch) / watch.seconds());
  }
  return figure;
}

}  // namespace hone
