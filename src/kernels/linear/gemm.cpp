#include "kernels/linear/gemm.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"

namespace hone::kernels {

namespace {

using GemmFunction = void(const Gemm&, const GemmPart&, void*);

GemmFunction* gemm_function(Compute compute) {
  if (compute == Compute::float32) return HONE_SELECT(gemm_float32);
  return has_bfloat16() ? avx512bf16::gemm_bfloat16 : HONE_SELECT(gemm_bfloat16);
}

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

/// C cut into chunks of rows × groups of panels.
struct Cut {
  std::int64_t rows = 0;
  std::int64_t panels = 0;
  std::int64_t chunks = 0;
  std::int64_t groups = 0;

  GemmPart part(std::int64_t index) const {
    const std::int64_t chunk = index / groups;
    const std::int64_t group = index % groups;
    return {chunk * rows / chunks, (chunk + 1) * rows / chunks, group * panels / groups,
            (group + 1) * panels / groups};
  }
};

/// Panels are shared out only as far as the threads need it: every part packs its rows of A anew.
Cut cut(const Gemm& gemm) {
  constexpr std::int64_t parts_per_thread = 4;
  Cut result;
  result.rows = gemm.rows;
  result.panels = ceil_divide(gemm.columns, panel_width);
  result.chunks = ceil_divide(gemm.rows, gemm_row_chunk);
  const std::int64_t wanted = threads() == 1 ? 1 : parts_per_thread * threads();
  result.groups = std::min(result.panels, ceil_divide(wanted, result.chunks));
  return result;
}

}  // namespace

std::int64_t panel_words(std::int64_t columns, std::int64_t depth, Compute compute) {
  const std::int64_t words = compute == Compute::float32 ? depth : ceil_divide(depth, 2);
  return ceil_divide(columns, panel_width) * panel_width * words;
}

void run_gemm(const Gemm& gemm, Compute compute) {
  constexpr double worth_a_region = 200e3;  // multiply-adds: a parallel region costs about 2 µs
  if (gemm.rows == 0 || gemm.columns == 0) return;
  GemmFunction* const function = gemm_function(compute);
  const Cut parts = cut(gemm);
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch scratch;
    void* const memory = scratch.reserve<char>(gemm_scratch_bytes);
    for (std::int64_t index = begin; index < end; ++index) function(gemm, parts.part(index), memory);
  };
  const double work = static_cast<double>(gemm.rows) * static_cast<double>(gemm.columns) *
                      static_cast<double>(gemm.depth);
  const std::int64_t count = parts.chunks * parts.groups;
  if (work < worth_a_region) {
    run(0, count);
  } else {
    parallel_for(count, 1, run);
  }
}

Gemm forward_product(const PackedWeight& weight, const float* a, std::int64_t rows, float* c) {
  const PackedWeight::Storage& storage = weight.storage();
  HONE_ASSERT(storage.fresh);
  Gemm gemm;
  gemm.rows = rows;
  gemm.columns = storage.out_features;
  gemm.depth = storage.in_features;
  gemm.a = a;
  gemm.a_stride = storage.in_features;
  gemm.panels = storage.forward.data<std::uint32_t>();
  gemm.c = c;
  gemm.c_stride = storage.out_features;
  return gemm;
}

Gemm backward_product(const PackedWeight& weight, const float* a, std::int64_t rows, float* c) {
  const PackedWeight::Storage& storage = weight.storage();
  HONE_ASSERT(storage.fresh && storage.trainable);
  Gemm gemm;
  gemm.rows = rows;
  gemm.columns = storage.in_features;
  gemm.depth = storage.out_features;
  gemm.a = a;
  gemm.a_stride = storage.out_features;
  if (storage.compute == Compute::bfloat16) {
    gemm.panels = storage.backward.data<std::uint32_t>();
  } else {
    gemm.b = storage.weight_NK.const_data_ptr<float>();
    gemm.b_stride = storage.in_features;
  }
  gemm.c = c;
  gemm.c_stride = storage.in_features;
  return gemm;
}

}  // namespace hone::kernels
