#include "kernels/calibrate/calibrate.h"

#undef CHECK
#include <doctest/doctest.h>

#include "kernels/isa.h"

using namespace hone::kernels;

TEST_CASE("kernels: calibration measures figures that fit together") {
  const Calibration c = calibrate();
  MESSAGE("float32 " << c.float32_gflops << ", bfloat16 " << c.bfloat16_gflops << ", gemm " << c.gemm_float32_gflops
                     << " and " << c.gemm_bfloat16_gflops << " GFLOP/s, " << c.bandwidth_gb_s << " GB/s");
  CHECK(c.float32_gflops > 1);
  CHECK((c.bfloat16_gflops > 0) == has_bfloat16());
  CHECK(c.gemm_float32_gflops > 0);
  CHECK(c.gemm_bfloat16_gflops > 0);
  // No product is faster than registers allow; generous, since other programs disturb both.
  CHECK(c.gemm_float32_gflops < 1.5 * c.float32_gflops);
  CHECK(c.bandwidth_gb_s > 0.5);
}
