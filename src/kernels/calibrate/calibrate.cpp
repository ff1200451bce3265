#include "kernels/calibrate/calibrate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "base/threads.h"
#include "kernels/calibrate/calibrate_cpu.h"
#include "kernels/linear/linear.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

using Clock = std::chrono::steady_clock;

/// The shortest of several runs, in seconds: other programs can only make a run longer.
template <class Run>
double best_seconds(int runs, const Run& run) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

double peak_gflops(double (*loop)(std::int64_t)) {
  constexpr std::int64_t steps = 1'000'000;
  std::atomic<double> work = 0;
  const double seconds = best_seconds(5, [&] {
    work = 0;
    parallel_for(threads(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) work += loop(steps);
    });
  });
  return work / seconds * 1e-9;
}

double gemm_gflops(Compute compute) {
  constexpr std::int64_t rows = 512;
  constexpr std::int64_t width = 1024;
  const at::Tensor x = at::ones({rows, width});
  const at::Tensor w = at::ones({width, width});
  PackedWeight packed(width, width, compute, false);
  packed.refresh(w);
  const double seconds = best_seconds(20, [&] { linear_forward(x, packed); });
  return 2.0 * rows * width * width / seconds * 1e-9;
}

double bandwidth_gb_s() {
  constexpr std::int64_t count = 64 * 1024 * 1024;  // 256 MiB in all
  constexpr std::int64_t grain = 1024 * 1024;
  Scratch scratch;
  float* const memory = scratch.reserve<float>(count);
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    std::memset(memory + begin, 0, static_cast<std::size_t>(end - begin) * sizeof(float));
  });
  std::atomic<float> sink = 0;
  const double read = best_seconds(5, [&] {
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      sink = HONE_SELECT(read_memory)(memory + begin, end - begin);
    });
  });
  const std::int64_t half = count / 2;
  const double copy = best_seconds(5, [&] {
    parallel_for(half, grain, [&](std::int64_t begin, std::int64_t end) {
      HONE_SELECT(copy_memory)(memory + begin, memory + half + begin, end - begin);
    });
  });
  const std::int64_t third = count / 3;
  const double triad = best_seconds(5, [&] {
    parallel_for(third, grain, [&](std::int64_t begin, std::int64_t end) {
      HONE_SELECT(triad_memory)(memory + begin, memory + third + begin, memory + 2 * third + begin, 0.5F, end - begin);
    });
  });
  // Copy and triad move all 256 MiB once, as read does.
  return 4.0 * static_cast<double>(count) / std::min({read, copy, triad}) * 1e-9;
}

}  // namespace

Calibration calibrate() {
  Calibration result;
  result.float32_gflops = peak_gflops(HONE_SELECT(peak_float32));
  if (has_bfloat16()) result.bfloat16_gflops = peak_gflops(avx512bf16::peak_bfloat16);
  result.gemm_float32_gflops = gemm_gflops(Compute::float32);
  result.gemm_bfloat16_gflops = gemm_gflops(Compute::bfloat16);
  result.bandwidth_gb_s = bandwidth_gb_s();
  return result;
}

}  // namespace hone::kernels
