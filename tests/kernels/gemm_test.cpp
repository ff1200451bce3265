#include "kernels/linear/gemm_cpu.h"

#undef CHECK
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

using namespace hone::kernels;

namespace {

struct Variant {
  std::string name;
  bool bfloat16;
  void (*gemm)(const Gemm&, const GemmPart&, void*);
  void (*pack_weight)(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                      std::uint32_t*);
};

/// Every variant that this CPU runs.
std::vector<Variant> variants() {
  std::vector<Variant> all = {{"portable float32", false, portable::gemm_float32, portable::pack_weight_float32},
                              {"portable bfloat16", true, portable::gemm_bfloat16, portable::pack_weight_bfloat16}};
  if (isa() >= Isa::avx2) {
    all.push_back({"avx2 float32", false, avx2::gemm_float32, avx2::pack_weight_float32});
    all.push_back({"avx2 bfloat16", true, avx2::gemm_bfloat16, avx2::pack_weight_bfloat16});
  }
  if (isa() >= Isa::avx512) {
    all.push_back({"avx512 float32", false, avx512::gemm_float32, avx512::pack_weight_float32});
    all.push_back({"avx512 bfloat16", true, avx512::gemm_bfloat16, avx512::pack_weight_bfloat16});
  }
  if (has_bfloat16()) {
    all.push_back({"avx512bf16 bfloat16", true, avx512bf16::gemm_bfloat16, avx512::pack_weight_bfloat16});
  }
  return all;
}

std::vector<float> numbers(std::int64_t count, int seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uint32_t state = static_cast<std::uint32_t>(seed);
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
  }
  return values;
}

float rounded(float value, bool bfloat16) {
  if (!bfloat16) return value;
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U;
  std::memcpy(&value, &bits, 4);
  return value;
}

std::vector<std::uint16_t> halves(const std::vector<float>& values) {
  std::vector<std::uint16_t> result;
  for (const float value : values) {
    const float near = rounded(value, true);
    std::uint32_t bits;
    std::memcpy(&bits, &near, 4);
    result.push_back(static_cast<std::uint16_t>(bits >> 16));
  }
  return result;
}

std::unique_ptr<void, void (*)(void*)> scratch() {
  return {std::aligned_alloc(64, gemm_scratch_bytes), std::free};
}

}  // namespace

TEST_CASE("kernels: every gemm variant multiplies packed, unpacked and transposed operands") {
  const auto memory = scratch();
  for (const Variant& variant : variants()) {
    for (const std::int64_t rows : {1, 5, 17, 256}) {
      for (const auto& [columns, depth] : {std::pair{33, 63}, std::pair{64, 600}, std::pair{7, 1}}) {
        CAPTURE(variant.name);
        CAPTURE(rows);
        const auto a = numbers(rows * depth, 1);
        const auto weight = numbers(columns * depth, 2);
        std::vector<float> a_turned(a.size());
        std::vector<float> weight_turned(weight.size());
        for (std::int64_t k = 0; k < depth; ++k) {
          for (std::int64_t r = 0; r < rows; ++r) a_turned[k * rows + r] = a[r * depth + k];
          for (std::int64_t j = 0; j < columns; ++j) weight_turned[k * columns + j] = weight[j * depth + k];
        }
        const std::int64_t panels = (columns + 31) / 32;
        std::vector<std::uint32_t> packed(static_cast<std::size_t>(panels * 32 * depth));
        variant.pack_weight(weight.data(), depth, columns, depth, 0, panels, packed.data());

        std::vector<float> c(static_cast<std::size_t>(rows * columns), 1.0F);
        Gemm gemm;
        gemm.rows = rows;
        gemm.columns = columns;
        gemm.depth = depth;
        gemm.a = a.data();
        gemm.a_stride = depth;
        gemm.panels = packed.data();
        gemm.c = c.data();
        gemm.c_stride = columns;
        variant.gemm(gemm, {0, rows, 0, panels}, memory.get());
        double worst = 0;
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t j = 0; j < columns; ++j) {
            double expected = 0;
            for (std::int64_t k = 0; k < depth; ++k) {
              expected += static_cast<double>(rounded(a[r * depth + k], variant.bfloat16)) *
                          rounded(weight[j * depth + k], variant.bfloat16);
            }
            worst = std::max(worst, std::abs(expected - c[r * columns + j]));
          }
        }
        CHECK(worst < 5e-5);

        std::vector<float> other(c.size(), 0.0F);
        gemm.c = other.data();
        gemm.accumulate = true;
        gemm.panels = nullptr;
        gemm.b = weight_turned.data();
        gemm.b_stride = columns;
        gemm.a = a_turned.data();
        gemm.a_stride = rows;
        gemm.a_transposed = true;
        for (std::int64_t panel = 0; panel < panels; ++panel) {
          variant.gemm(gemm, {0, rows, panel, panel + 1}, memory.get());
        }
        CHECK(std::memcmp(other.data(), c.data(), c.size() * 4) == 0);
      }
    }
  }
}

TEST_CASE("kernels: every gemm variant reads operands in bfloat16 as it reads what rounds to them") {
  const auto memory = scratch();
  for (const Variant& variant : variants()) {
    if (!variant.bfloat16) continue;
    for (const std::int64_t rows : {1, 5, 17, 31, 256}) {
      for (const auto& [columns, depth] : {std::pair{33, 63}, std::pair{64, 600}, std::pair{7, 1}, std::pair{49, 34}}) {
        CAPTURE(variant.name);
        CAPTURE(rows);
        CAPTURE(depth);
        const auto a = numbers(rows * depth, 3);
        const auto b = numbers(columns * depth, 4);
        const auto a_bfloat16 = halves(a);
        const auto b_bfloat16 = halves(b);
        const std::int64_t panels = (columns + 31) / 32;
        for (const bool turned : {false, true}) {
          Gemm gemm;
          gemm.rows = rows;
          gemm.columns = columns;
          gemm.depth = depth;
          gemm.a_stride = turned ? rows : depth;
          gemm.a_transposed = turned;
          gemm.b_stride = columns;
          gemm.c_stride = columns;
          const auto product = [&](bool first, bool second) {
            Gemm same = gemm;
            same.a = first ? nullptr : a.data();
            same.a_bfloat16 = first ? a_bfloat16.data() : nullptr;
            same.b = second ? nullptr : b.data();
            same.b_bfloat16 = second ? b_bfloat16.data() : nullptr;
            std::vector<float> c(static_cast<std::size_t>(rows * columns));
            same.c = c.data();
            variant.gemm(same, {0, rows, 0, panels}, memory.get());
            return c;
          };
          const std::vector<float> expected = product(false, false);
          CHECK(product(true, false) == expected);
          CHECK(product(false, true) == expected);
          CHECK(product(true, true) == expected);
        }
      }
    }
  }
}

TEST_CASE("kernels: bfloat16 words are rounded to nearest, ties to even, and keep NaN") {
  const float cases[] = {1.0F, 1.00390625F, 1.01171875F, -1.00390625F, 3.3895314e38F, 1.0F + 1.0F / 512, 0.1F};
  for (const float value : cases) {
    std::uint32_t word = 0;
    std::vector<std::uint32_t> panel(32);
    portable::pack_weight_bfloat16(&value, 1, 1, 1, 0, 1, panel.data());
    word = panel[0] << 16;
    float got;
    std::memcpy(&got, &word, 4);
    CHECK(got == rounded(value, true));
    CHECK(panel[0] < 0x10000U);
  }
  std::vector<std::uint32_t> panel(32);
  std::uint32_t bits = 0x7fffffffU;
  float nan;
  std::memcpy(&nan, &bits, 4);
  portable::pack_weight_bfloat16(&nan, 1, 1, 1, 0, 1, panel.data());
  bits = panel[0] << 16;
  std::memcpy(&nan, &bits, 4);
  CHECK(std::isnan(nan));
}
