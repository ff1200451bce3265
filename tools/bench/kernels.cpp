/// Speed of the matrix products beside at::linear and the peak of this machine, and of the optimizer's pass over 100
/// million parameters beside torch's fused AdamW: `kernels [threads] [linear | update]`.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string_view>
#include <vector>

#include "base/threads.h"
#include "kernels/adamw/adamw.h"
#include "kernels/calibrate/calibrate.h"
#include "kernels/isa.h"
#include "kernels/linear/linear.h"
#include "kernels/lm_head/lm_head.h"
#include "kernels/update/update.h"

namespace {

using namespace hone;
using namespace hone::kernels;
/// Seconds; of this thread's own time when it is the only one, so that other programs disturb less.
double now() {
  timespec time;
  clock_gettime(threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// GFLOP/s of the fastest run within a fifth of a second: other programs can only slow a run down.
template <class Run>
double gflops(double flops, const Run& run) {
  run();
  double best = 1e30;
  const double stop = now() + 0.2;
  do {
    const double start = now();
    run();
    best = std::min(best, now() - start);
  } while (now() < stop);
  return flops / best * 1e-9;
}

void bench_linear(std::int64_t rows, std::int64_t in, std::int64_t out) {
  const double flops = 2.0 * static_cast<double>(rows * in * out);
  const at::Tensor x = at::randn({rows, in});
  const at::Tensor w = at::randn({out, in});
  const at::Tensor dy = at::randn({rows, out});
  at::Tensor dw = at::zeros({out, in});
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    const bool bfloat16 = compute == Compute::bfloat16;
    PackedWeight packed(out, in, compute, true);
    packed.refresh(w);
    const at::ScalarType type = bfloat16 ? at::kBFloat16 : at::kFloat;
    const at::Tensor torch_x = x.to(type);
    const at::Tensor torch_w = w.to(type);
    fmt::print("{:8} {:5} x {:5} x {:5}  forward {:4.0f}  dx {:4.0f}  dw {:4.0f}  refresh {:5.1f} GB/s  at::linear {:4.0f}\n",
               bfloat16 ? "bfloat16" : "float32", rows, in, out, gflops(flops, [&] { linear_forward(x, packed); }),
               gflops(flops, [&] { linear_backward_input(dy, packed); }),
               gflops(flops, [&] { linear_backward_weight(dy, x, compute, dw); }),
               gflops(4.0 * static_cast<double>(in * out), [&] { packed.refresh(w); }),
               gflops(flops, [&] { at::linear(torch_x, torch_w); }));
    std::fflush(stdout);
  }
}

/// Forward products with weights of two and of one byte, run by turns: as many operations a second, and bytes of weights.
void bench_inference(std::int64_t rows, std::int64_t in, std::int64_t out) {
  const at::Tensor x = at::randn({rows, in});
  const at::Tensor w = at::randn({out, in});
  constexpr Compute computes[] = {Compute::bfloat16, Compute::int8};
  std::vector<PackedWeight> packed;
  for (const Compute compute : computes) packed.emplace_back(out, in, compute, false).refresh(w);
  double best[] = {1e30, 1e30};
  const double stop = now() + 0.4;
  do {
    for (std::size_t i = 0; i < 2; ++i) {
      const double start = now();
      linear_forward(x, packed[i]);
      best[i] = std::min(best[i], now() - start);
    }
  } while (now() < stop);
  const double operations = 2e-9 * static_cast<double>(rows * in * out);
  const double weights = 1e-9 * static_cast<double>(in * out);
  fmt::print("forward {:4} x {:5} x {:5}  bfloat16 {:4.0f} GFLOP/s {:3.0f} GB/s  int8 {:4.0f} GOP/s {:3.0f} GB/s  {:.2f} x\n",
             rows, in, out, operations / best[0], 2 * weights / best[0], operations / best[1], weights / best[1],
             best[0] / best[1]);
  std::fflush(stdout);
}

void bench_head(std::int64_t rows, std::int64_t width, std::int64_t vocabulary) {
  const double flops = 2.0 * static_cast<double>(rows * width * vocabulary);
  const at::Tensor hidden = at::randn({rows, width}) * 0.1;
  const at::Tensor target = at::zeros({rows}, at::kLong);
  const at::Tensor dlogprob = at::ones({rows});
  at::Tensor dweight = at::zeros({vocabulary, width});
  for (const Compute compute : {Compute::float32, Compute::bfloat16}) {
    PackedWeight packed(vocabulary, width, compute, true);
    packed.refresh(dweight + 0.1);
    const TokenStatistics statistics = lm_head_forward(hidden, packed, target, 1.0, true);
    fmt::print("{:8} head {} x {} x {}  forward {:4.0f}  with entropy {:4.0f}  backward {:4.0f}\n",
               compute == Compute::bfloat16 ? "bfloat16" : "float32", rows, width, vocabulary,
               gflops(flops, [&] { lm_head_forward(hidden, packed, target, 1.0, false); }),
               gflops(flops, [&] { lm_head_forward(hidden, packed, target, 1.0, true); }),
               gflops(3 * flops, [&] {
                 lm_head_backward(hidden, packed, target, 1.0, statistics, dlogprob, {}, dweight);
               }));
    std::fflush(stdout);
  }
}

/// Milliseconds of the fastest of several runs by turns, and the bytes a second that they stand for. SGD computes next to
/// nothing: its rate is what memory allows.
void bench_update() {
  constexpr std::int64_t parameters = 100'000'000;
  at::Tensor weight = at::zeros({parameters}), grad = at::full({parameters}, 1e-3), first = at::zeros({parameters}),
             second = at::zeros({parameters});
  const std::vector<at::Tensor> step = {at::ones({})}, none;
  struct Rule {
    const char* name;
    double bytes;  ///< read and written a parameter
    std::function<void()> run;
    double best = 1e30;
  };
  Rule rules[] = {
      {"hone AdamW", 28, [&] { adamw_update(weight, grad, first, second, {.learning_rate = 1e-4, .weight_decay = 0.1}); }},
      {"torch fused AdamW", 28,
       [&] {
         at::_fused_adamw_({weight}, {grad}, {first}, {second}, none, step, 1e-4, 0.9, 0.999, 0.1, 1e-8, false, false);
       }},
      {"hone Lion", 20, [&] { lion_update(weight, grad, first, {.learning_rate = 1e-4, .weight_decay = 0.1}); }},
      {"hone SGD", 20, [&] { sgd_update(weight, grad, first, {.learning_rate = 1e-4, .momentum = 0.9}); }},
      {"norm of the gradient", 4, [&] { squared_norm(grad); }}};
  for (int turn = 0; turn < 4; ++turn) {
    for (Rule& rule : rules) {
      const double start = now();
      rule.run();
      rule.best = std::min(rule.best, now() - start);
    }
  }
  for (const Rule& rule : rules) {
    fmt::print("{:20} {:4.0f} ms  {:2.0f} bytes a parameter  {:4.1f} GB/s\n", rule.name, 1e3 * rule.best, rule.bytes,
               rule.bytes * static_cast<double>(parameters) / rule.best * 1e-9);
  }
}

void bench_products() {
  for (const std::int64_t rows : {1, 8, 32, 2048}) {
    bench_linear(rows, 256, 1536);
    bench_linear(rows, 768, 2048);
    bench_linear(rows, 2048, 768);
    bench_linear(rows, 768, 32000);
  }
  for (const std::int64_t rows : {1, 4, 8, 16, 64, 512}) {
    bench_inference(rows, 768, 2048);
    bench_inference(rows, 2048, 768);
    bench_inference(rows, 768, 32000);
  }
  bench_head(1024, 768, 32000);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 2;
  // Results are reused, as they are in training; else fresh pages would be measured.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  set_threads(count);
  at::set_num_threads(count);
  const at::NoGradGuard no_gradients;
  const Calibration c = calibrate();
  fmt::print("{}, {} threads: float32 {:.0f}, bfloat16 {:.0f} GFLOP/s, {:.0f} GB/s\n", isa_name(), count,
             c.float32_gflops, c.bfloat16_gflops, c.bandwidth_gb_s);
  const std::string_view what = argc > 2 ? argv[2] : "";
  if (what != "update") bench_products();
  if (what != "linear") bench_update();
}
