#include "kernels/linear/gemm.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/linear/int8.h"

namespace hone::kernels {

namespace {

using GemmFunction = void(const Gemm&, const GemmPart&, void*);
using PackRowsFunction = void(const float*, std::int64_t, std::int64_t, std::int64_t, const PanelPart&, std::uint32_t*);

GemmFunction* gemm_function(Compute compute) {
  HONE_ASSERT(compute != Compute::int8);
  if (compute == Compute::float32) return HONE_SELECT(gemm_float32);
  return has_bfloat16() ? avx512bf16::gemm_bfloat16 : HONE_SELECT(gemm_bfloat16);
}

PackRowsFunction* pack_rows_function(Compute compute) {
  if (compute == Compute::float32) return HONE_SELECT(pack_rows_float32);
  return has_bfloat16() ? avx512bf16::pack_rows_bfloat16 : HONE_SELECT(pack_rows_bfloat16);
}

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

std::int64_t wanted_parts() {
  constexpr std::int64_t parts_per_thread = 4;
  return threads() == 1 ? 1 : parts_per_thread * threads();
}

/// Rows of a part. A transposed A, or one that is deep beside the columns, costs so much to pack that its parts are rows
/// for all columns, as far as there are rows.
std::int64_t row_chunk(const Gemm& gemm) {
  const bool deep = gemm.depth > 4 * gemm.columns;
  if (!gemm.a_transposed && !deep) return gemm_row_chunk;
  const std::int64_t least = gemm.a_transposed ? 28 : 70;  // a block of B serves several tiles
  return std::clamp(ceil_divide(gemm.rows, wanted_parts()), least, gemm_row_chunk);
}

void multiply_parts(const Gemm& gemm, const Cut& parts, Compute compute) {
  GemmFunction* const function = gemm_function(compute);
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

/// Packs all of B, block by block of rows that stay in the second-level cache while all panels read them.
void pack_b(const Gemm& gemm, Compute compute, std::uint32_t* panels) {
  constexpr std::int64_t block_words = 32;
  const std::int64_t words = panel_words(panel_width, gemm.depth, compute) / panel_width;
  parallel_for(ceil_divide(words, block_words), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const PanelPart part{0, ceil_divide(gemm.columns, panel_width), block * block_words,
                           std::min((block + 1) * block_words, words)};
      if (gemm.b_bfloat16 != nullptr) {
        HONE_SELECT(pack_bfloat16_rows)(gemm.b_bfloat16, gemm.b_stride, gemm.columns, gemm.depth, part, panels);
      } else {
        pack_rows_function(compute)(gemm.b, gemm.b_stride, gemm.columns, gemm.depth, part, panels);
      }
    }
  });
}

/// A product whose B is not packed and is read by several parts: packed once for all of them, as many columns at a time as
/// memory is spent on.
void multiply_in_strips(const Gemm& gemm, Compute compute) {
  constexpr std::int64_t strip_words = std::int64_t{4} << 20;
  const std::int64_t panel = panel_words(panel_width, gemm.depth, compute);
  const std::int64_t width = std::max<std::int64_t>(1, strip_words / panel) * panel_width;
  thread_local Scratch scratch;
  std::uint32_t* const panels = scratch.reserve<std::uint32_t>(panel_words(std::min(width, gemm.columns), gemm.depth, compute));
  for (std::int64_t column = 0; column < gemm.columns; column += width) {
    Gemm strip = gemm;
    strip.columns = std::min(width, gemm.columns - column);
    if (gemm.b_bfloat16 != nullptr) {
      strip.b_bfloat16 = gemm.b_bfloat16 + column;
    } else {
      strip.b = gemm.b + column;
    }
    strip.c = gemm.c + column;
    if (gemm.bias != nullptr) strip.bias = gemm.bias + column;
    pack_b(strip, compute, panels);
    strip.panels = panels;
    multiply_parts(strip, cut_product(strip.rows, strip.columns, row_chunk(strip)), compute);
  }
}

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
  Cut result;
  result.rows = rows;
  result.panels = ceil_divide(columns, panel_width);
  result.chunks = ceil_divide(rows, row_chunk);
  result.groups = std::min(result.panels, ceil_divide(wanted_parts(), result.chunks));
  return result;
}

bool worth_a_region(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  constexpr double multiply_adds = 200e3;  // about a microsecond of one thread, where reading the weights is none
  constexpr double weights = 40e3;
  const double of_a_row = static_cast<double>(columns) * static_cast<double>(depth);
  return of_a_row >= weights || static_cast<double>(rows) * of_a_row >= multiply_adds;
}

void run_gemm(const Gemm& gemm, Compute compute) {
  if (gemm.rows == 0 || gemm.columns == 0) return;
  const Cut parts = cut_product(gemm.rows, gemm.columns, row_chunk(gemm));  // every part packs its rows of A anew
  if (gemm.panels == nullptr && parts.chunks > 1) {
    multiply_in_strips(gemm, compute);
  } else {
    multiply_parts(gemm, parts, compute);
  }
}

Gemm forward_product(const PackedWeight& weight, std::int64_t rows, const float* bias, float* c) {
  const PackedWeight::Storage& storage = weight.storage();
  HONE_ASSERT(storage.fresh && storage.compute != Compute::int8);
  Gemm gemm;
  gemm.rows = rows;
  gemm.columns = storage.out_features;
  gemm.depth = storage.in_features;
  gemm.a_stride = storage.in_features;
  gemm.panels = storage.forward.data<std::uint32_t>();
  gemm.c = c;
  gemm.c_stride = storage.out_features;
  gemm.bias = bias;
  return gemm;
}

void multiply_forward(const PackedWeight& weight, const float* a, std::int64_t rows, const float* bias, float* c) {
  if (weight.compute() == Compute::int8) {
    HONE_ASSERT(weight.fresh());
    return multiply_int8(weight.storage(), a, rows, bias, c);
  }
  Gemm gemm = forward_product(weight, rows, bias, c);
  gemm.a = a;
  run_gemm(gemm, weight.compute());
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
