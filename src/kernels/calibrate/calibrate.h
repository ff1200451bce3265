#pragma once

namespace hone::kernels {

/// What this machine can do at best, measured with all threads of the team in about a second.
struct Calibration {
  double float32_gflops = 0;   ///< register-only fused multiply-adds
  double bfloat16_gflops = 0;  ///< register-only bfloat16 dot products; 0 where the CPU has none
  double gemm_float32_gflops = 0;   ///< linear_forward, 512 × 1024 × 1024
  double gemm_bfloat16_gflops = 0;
  double bandwidth_gb_s = 0;   ///< best of read, copy and triad over 256 MiB
};
Calibration calibrate();

}  // namespace hone::kernels
