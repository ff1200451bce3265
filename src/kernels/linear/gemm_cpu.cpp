#include "kernels/linear/gemm_cpu.h"

#include "kernels/linear/gemm_kernel.h"

namespace hone::kernels::HONE_ISA {

namespace {

struct Float32Arithmetic {
  using Words = Float32Words;
  using Operand = Floats;
  using Scalar = float;
#if defined(__AVX512F__)
  static constexpr int max_rows = 14;  // 28 sums, two vectors of B and one scalar of A in 32 registers
#elif defined(__AVX2__)
  static constexpr int max_rows = 6;
#else
  static constexpr int max_rows = 4;
#endif
  static Operand operand(const uint32_t* word) { return load_floats(word); }
  static Scalar scalar(const uint32_t* word) {
    typedef float AnyFloat __attribute__((may_alias));
    return *reinterpret_cast<const AnyFloat*>(word);
  }
  static Floats multiply_add(Scalar a, Operand b, Floats sum) { return a * b + sum; }
};

/// bfloat16 words without the dot-product instruction: both halves widened to float32, the even k first.
struct Bfloat16Arithmetic {
  using Words = Bfloat16Words;
  struct Operand {
    Floats even, odd;
  };
  struct Scalar {
    float even, odd;
  };
#if defined(__AVX512F__)
  static constexpr int max_rows = 12;
#elif defined(__AVX2__)
  static constexpr int max_rows = 4;
#else
  static constexpr int max_rows = 3;
#endif
  static Operand operand(const uint32_t* word) {
    const Ints bits = load_ints(word);
    return {reinterpret_cast<Floats>(bits << 16), reinterpret_cast<Floats>(bits & static_cast<int32_t>(0xffff0000U))};
  }
  static Scalar scalar(const uint32_t* word) {
    const uint32_t even = *word << 16;
    const uint32_t odd = *word & 0xffff0000U;
    Scalar result;
    memcpy(&result.even, &even, 4);
    memcpy(&result.odd, &odd, 4);
    return result;
  }
  static Floats multiply_add(const Scalar& a, const Operand& b, Floats sum) {
    sum = a.even * b.even + sum;
    return a.odd * b.odd + sum;
  }
};

template <class Words>
void pack_weight(const float* weight, int64_t stride, int64_t columns, int64_t depth, int64_t panel_begin,
                 int64_t panel_end, uint32_t* panels) {
  const int64_t words = (depth + Words::elements - 1) / Words::elements;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t left = columns - panel * 32;
    pack_weight_panel<Words>(weight + panel * 32 * stride, stride, left < 32 ? left : 32, depth,
                             panels + panel * words * 32);
  }
}

}  // namespace

void gemm_float32(const Gemm& gemm, const GemmPart& part, void* scratch) {
  multiply<Float32Arithmetic>(gemm, part, scratch);
}

void gemm_bfloat16(const Gemm& gemm, const GemmPart& part, void* scratch) {
  multiply<Bfloat16Arithmetic>(gemm, part, scratch);
}

void pack_weight_float32(const float* weight, int64_t stride, int64_t columns, int64_t depth, int64_t panel_begin,
                         int64_t panel_end, uint32_t* panels) {
  pack_weight<Float32Words>(weight, stride, columns, depth, panel_begin, panel_end, panels);
}

void pack_weight_bfloat16(const float* weight, int64_t stride, int64_t columns, int64_t depth, int64_t panel_begin,
                          int64_t panel_end, uint32_t* panels) {
  pack_weight<Bfloat16Words>(weight, stride, columns, depth, panel_begin, panel_end, panels);
}

void pack_rows_float32(const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                       uint32_t* panels) {
  pack_panel_part<Float32Words>(b, stride, columns, depth, part, panels);
}

void pack_rows_bfloat16(const float* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                        uint32_t* panels) {
  pack_panel_part<Bfloat16Words>(b, stride, columns, depth, part, panels);
}

void pack_bfloat16_rows(const uint16_t* b, int64_t stride, int64_t columns, int64_t depth, const PanelPart& part,
                        uint32_t* panels) {
  pack_panel_part<RoundedWords>(b, stride, columns, depth, part, panels);
}

}  // namespace hone::kernels::HONE_ISA
