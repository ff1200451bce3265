#include <string.h>

#include "kernels/rotary/rotary_cpu.h"
#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

/// Doubles of one register, and as many floats.
typedef double Doubles __attribute__((vector_size(HONE_VECTOR_BYTES)));
typedef int64_t Longs __attribute__((vector_size(HONE_VECTOR_BYTES)));
typedef float FewFloats __attribute__((vector_size(HONE_VECTOR_BYTES / 2)));

constexpr int64_t lanes = vector_lanes / 2;

struct Turn {
  Doubles cosine;
  Doubles sine;
};

/// Within 1e-15 for 0 ≤ x < 2^20: what rounds to float32 as libm's does, but for one value in millions. Polynomials and
/// the parts of π/2 are fdlibm's.
Turn turn(Doubles x) {
  const double round_to_integer = 6755399441055744.0;  // 1.5 · 2^52
  const Doubles shifted = x * 6.36619772367581382433e-01 + round_to_integer;
  const Doubles n = shifted - round_to_integer;
  Doubles r = x - n * 1.57079632673412561417e+00;  // 33 bits: exact
  r = r - n * 6.07710050630396597660e-11;
  r = r - n * 2.02226624879595063154e-21;
  const Doubles z = r * r;
  Doubles s = z * 1.58969099521155010221e-10 - 2.50507602534068634195e-08;
  s = s * z + 2.75573137070700676789e-06;
  s = s * z - 1.98412698298579493134e-04;
  s = s * z + 8.33333333332248946124e-03;
  s = s * z - 1.66666666666666324348e-01;
  const Doubles sine = s * z * r + r;
  Doubles c = z * -1.13596475577881948265e-11 + 2.08757232129817482790e-09;
  c = c * z - 2.75573143513906633035e-07;
  c = c * z + 2.48015872894767294178e-05;
  c = c * z - 1.38888888888741095749e-03;
  c = c * z + 4.16666666666666019037e-02;
  const Doubles cosine = c * z * z - z * 0.5 + 1.0;
  const Longs quadrant = reinterpret_cast<Longs>(shifted);  // n sits in the low bits
  const Longs crossed = (quadrant & 1) != 0;
  const Doubles a = crossed ? sine : cosine;
  const Doubles b = crossed ? cosine : sine;
  return {((quadrant + 1) & 2) != 0 ? -a : a, (quadrant & 2) != 0 ? -b : b};
}

}  // namespace

void rotary_table_rows(const float* frequency, int64_t half, float factor, int64_t begin, int64_t end, float* table) {
  for (int64_t i = 0; i < half; i += lanes) {
    const size_t bytes = static_cast<size_t>(half - i < lanes ? half - i : lanes) * sizeof(float);
    FewFloats wave = {};
    memcpy(&wave, frequency + i, bytes);
    for (int64_t p = begin; p < end; ++p) {
      // The angle is rounded to float32 as in the models' reference code: checkpoints were trained with those angles.
      const FewFloats angle = wave * static_cast<float>(p);
      const Turn turned = turn(__builtin_convertvector(angle, Doubles));
      const FewFloats cosine = __builtin_convertvector(turned.cosine, FewFloats) * factor;
      const FewFloats sine = __builtin_convertvector(turned.sine, FewFloats) * factor;
      memcpy(table + 2 * p * half + i, &cosine, bytes);
      memcpy(table + 2 * p * half + half + i, &sine, bytes);
    }
  }
}

}  // namespace hone::kernels::HONE_ISA
