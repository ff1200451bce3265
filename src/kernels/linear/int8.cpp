#include "kernels/linear/int8.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/linear/int8_cpu.h"

namespace hone::kernels {

namespace {

/// Rows whose words stay in the second-level cache while all panels pass over them.
std::int64_t row_chunk(std::int64_t pitch) {
  constexpr std::int64_t cached_words = 128 * 1024;
  return std::clamp<std::int64_t>(cached_words / pitch, 14, gemm_row_chunk);
}

/// Room for `rows` quantised rows, valid until this thread's next call.
Int8Rows row_memory(std::int64_t rows, std::int64_t depth) {
  thread_local Scratch words;
  thread_local Scratch scale;
  thread_local Scratch offset;
  Int8Rows result;
  result.pitch = (depth + 15) / 16 * 8;
  result.pitch = (result.pitch + 15) / 16 * 16 + 16;  // whole cache lines, and rarely a power of two apart
  result.words = words.reserve<std::uint32_t>(rows * result.pitch);
  result.scale = scale.reserve<float>(rows);
  result.offset = offset.reserve<std::int32_t>(rows);
  return result;
}

}  // namespace

void multiply_int8(const PackedWeight::Storage& weight, const float* a, std::int64_t rows, const float* bias, float* c) {
  constexpr std::int64_t rows_worth_a_region = 16;
  if (rows == 0) return;
  Int8Gemm gemm;
  gemm.columns = weight.out_features;
  gemm.depth = weight.in_features;
  gemm.a = row_memory(rows, gemm.depth);
  gemm.panels = weight.forward.data<std::uint32_t>();
  gemm.column_scale = weight.scales.data<float>();
  gemm.bias = bias;
  gemm.c = c;
  gemm.c_stride = weight.out_features;

  const auto quantize = [&](std::int64_t begin, std::int64_t end) {
    const auto function = has_int8_dot() ? avx512vnni::quantize_rows : HONE_SELECT(quantize_rows);
    function(a, gemm.depth, begin, end, gemm.a);
  };
  if (rows < rows_worth_a_region) {
    quantize(0, rows);
  } else {
    parallel_for(rows, 4, quantize);
  }
  const Cut parts = cut_product(rows, gemm.columns, row_chunk(gemm.a.pitch));
  const auto multiply = [&](std::int64_t begin, std::int64_t end) {
    const auto function = has_int8_dot() ? avx512vnni::gemm_int8 : HONE_SELECT(gemm_int8);
    for (std::int64_t index = begin; index < end; ++index) function(gemm, parts.part(index));
  };
  if (worth_a_region(rows, gemm.columns, gemm.depth)) {
    parallel_for(parts.count(), 1, multiply);
  } else {
    multiply(0, parts.count());
  }
}

}  // namespace hone::kernels
