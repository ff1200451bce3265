#include "app/bench_measures.h"

#include <algorithm>

#include "base/random.h"
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

std::vector<Request> random_requests(const Model& model, const BenchShape& shape) {
  std::vector<Request> requests(static_cast<std::size_t>(shape.batch));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].context = random_ids(shape.prompt, model.policy->shape().vocabulary, i);
    requests[i].key = bench_key;
    requests[i].prompt_id = i;
  }
  return requests;
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
  const TokenWork work = token_work(model);  // logits of a prompt's last token alone
  limit_by_products(prefill, 2 * (work.trunk + work.lm_head / static_cast<double>(shape.prompt)), gemm_peak(model, peak));
  limit_decoding(decode, model, shape, peak);
  SamplingConfig sampling;
  sampling.max_tokens = sampling.min_tokens = shape.new_tokens;
  const std::vector<Request> requests = random_requests(model, shape);
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
    decode.rates.push_back(decoded_tokens / (watch.seconds() - first_tokens));
  }
  return {std::move(prefill), std::move(decode)};
}

BenchFigure bench_scoring(Model& model, const BenchShape& shape, const kernels::Calibration& peak, int repetitions) {
  const at::NoGradGuard no_grad;
  BenchFigure figure{.name = "score"};
  limit_by_products(figure, 2 * token_work(model).multiply_adds(), gemm_peak(model, peak));
  const Batch batch = random_batch(model, shape);
  for (int i = 0; i <= repetitions; ++i) {
    const Stopwatch watch;
    batch_logprobs(model, batch, 1.0, batch.tokens());
    if (i > 0) figure.rates.push_back(static_cast<double>(batch.tokens()) / watch.seconds());
  }
  return figure;
}

std::vector<BenchFigure> bench_training(Model& model, const BenchShape& shape, const kernels::Calibration& peak,
                                        int repetitions) {
  constexpr double bytes_a_value = 28;  // weight, gradient and two moments: four reads, three writes
  BenchFigure train{.name = "train"};
  BenchFigure update{.name = "optimizer", .unit = "values/s"};
  limit_by_products(train, 6 * token_work(model).multiply_adds(), gemm_peak(model, peak));
  update.limit = 1e9 * peak.bandwidth_gb_s / bytes_a_value;
  update.limited_by = "memory";
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
  return {std::move(train), std::move(update)};
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
