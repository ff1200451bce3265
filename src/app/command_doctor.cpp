#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <torch/version.h>

#include "app/commands.h"
#include "app/experiment.h"
#include "app/machine.h"
#include "base/format.h"
#include "base/threads.h"
#include "kernels/calibrate/calibrate.h"
#include "kernels/isa.h"

namespace hone {

namespace {

void print_row(const std::string& key, const std::string& value) { fmt::print("{:<26} {}\n", key, value); }

std::vector<std::string> advice(std::int64_t memory, std::int64_t disk) {
  std::vector<std::string> lines;
  if (!kernels::has_bfloat16()) {
    lines.push_back("the CPU has no bfloat16 dot products: model.compute auto means float32, at about half the speed");
  }
  if (kernels::isa() == kernels::Isa::portable) {
    lines.push_back("the CPU (or HONE_MAX_ISA) offers no AVX2: everything works, slowly");
  }
  if (std::getenv("HONE_MAX_ISA") != nullptr) {
    lines.push_back("HONE_MAX_ISA is set and lowers the instruction set: unset it");
  }
  if (memory >= 0 && memory < (2LL << 30)) lines.push_back("less than 2 GiB of memory is free: only tiny models fit");
  if (disk >= 0 && disk < (1LL << 30)) {
    lines.push_back("less than 1 GiB of disk is free here: set run.directory to another disk");
  }
  return lines;
}

}  // namespace

void command_doctor() {
  prepare_process(0);
  const std::int64_t memory = available_memory();
  const std::int64_t disk = free_disk(".");
  print_row("hone", HONE_VERSION);
  print_row("LibTorch", TORCH_VERSION);
  print_row("CPU", cpu_model());
  print_row("cores", std::to_string(std::thread::hardware_concurrency()));
  print_row("kernels", fmt::format("{}{}", kernels::isa_name(), kernels::has_bfloat16() ? " + bfloat16" : ""));
  print_row("memory available", memory < 0 ? "unknown" : format_bytes(memory));
  print_row("disk free here", disk < 0 ? "unknown" : format_bytes(disk));
  const kernels::Calibration peak = kernels::calibrate();
  print_row("float32 peak", fmt::format("{:.0f} GFLOP/s", peak.float32_gflops));
  print_row("float32 GEMM", fmt::format("{:.0f} GFLOP/s", peak.gemm_float32_gflops));
  if (peak.bfloat16_gflops > 0) {
    print_row("bfloat16 peak", fmt::format("{:.0f} GFLOP/s", peak.bfloat16_gflops));
    print_row("bfloat16 GEMM", fmt::format("{:.0f} GFLOP/s", peak.gemm_bfloat16_gflops));
  }
  print_row("memory bandwidth", fmt::format("{:.1f} GB/s", peak.bandwidth_gb_s));
  const std::vector<std::string> lines = advice(memory, disk);
  if (lines.empty()) fmt::print("nothing is missing\n");
  for (const std::string& line : lines) fmt::print("note: {}\n", line);
}

}  // namespace hone
