#include "kernels/linear/gemm.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/linear/int8.h"

namespace hone::kernels {

namespace {

using GemmFunction = void(const Gemm&, const GemmPart&, void*);

GemmFunction* gemm_function(Compute compute) {
  HONE_ASSERT(compute != Compute::int8);
  if (compute == Compute::float32) return HONE_SELECT(gemm_float32);
  return has_bfloat16() ? avx512bf16::gemm_bfloat16 : HONE_SELECT(gemm_bfloat16);
}

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

}  // namespace

std::int64_t panel_words(std::int64_t columns, std::int64_t depth, Compute compute) {
  const std::int64_t elements = compute == Compute::float32 ? 1 : compute == Compute::bfloat16 ? 2 : 4;
  const std::int64_t words = ceil_divide(depth, elements);
  return ceil_divide(columns, panel_width) * panel_width * words;
}

GemmPart Cut::part(std::int64_t index) const {
  const std::int64_t chunk = index / groups;
  const std::int64_t group = index % groups;
  return {chunk * rows / chunks, (chunk + 1) * rows / chunks, group * panels / groups, (group + 1) * panels / groups};
}

Cut cut_product(std::int64_t rows, std::int64_t columns, std::int64_t row_chunk) {
  constexpr std::int64_t parts_per_thread = 4;
  Cut result;
  result.rows = rows;
  result.panels = ceil_divide(columns, panel_width);
  result.chunks = ceil_divide(rows, row_chunk);
  const std::int64_t wanted = threads() == 1 ? 1 : parts_per_thread * threads();
  result.groups = std::min(result.panels, ceil_divide(wanted, result.chunks));
  return result;
}

bool worth_a_region(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  constexpr double multiply_adds = 200e3;
  return static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(depth) >= multiply_adds;
}

void run_gemm(const Gemm& gemm, Compute compute) {
  if (gemm.rows == 0 || gemm.columns == 0) return;
  GemmFunction* const function = gemm_function(compute);
  const Cut parts = cut_product(gemm.rows, gemm.columns, gemm_row_chunk);  // every part packs its rows of A anew
  const auto run = [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch scratch;
    void* const memory = scratch.reserve<char>(gemm_scratch_bytes);
    for (std::int64_t index = begin; index < end; ++index) function(gemm, parts.part(index), memory);
  };
  if (worth_a_region(gemm.rows, gemm.columns, gemm.depth)) {
    parallel_for(parts.count(), 1, run);
  } else {
    run(0, parts.count());
  }
}

void multiply_forward(const PackedWeight& weight, const float* a, std::int64_t rows, const float* bias, float* c) {
  const PackedWeight::Storage& storage = weight.storage();
  HONE_ASSERT(storage.fresh);
  if (storage.compute == Compute::int8) return multiply_int8(storage, a, rows, bias, c);
  Gemm gemm;
  gemm.rows = rows;
  gemm.columns = storage.out_features;
  gemm.depth = storage.in_features;
  gemm.a = a;
  gemm.a_stride = storage.in_features;
  gemm.panels = storage.forward.data<std::uint32_t>();
  gemm.c = c;
  gemm.c_stride = storage.out_features;
  gemm.bias = bias;
  run_gemm(gemm, storage.compute);
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
