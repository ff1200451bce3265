/// How fast a model directory is read and written: `model_files MODEL COMPUTE [runs] [COPY]` prints one JSON line.
///
/// load: from an open of config.json until the model could compute in COMPUTE (float32, bfloat16, int8; weights read,
/// checked and packed); the best of the runs, so the files come from the page cache. peak_ratio: memory that loading added
/// at its peak, relative to the weights in the files. save: of the values in float32, until the copy is renamed into
/// place, with every file synced to disk.
///
/// It is compiled and linked as build/hone is, with the objects of src/app but for main.cpp.

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "app/catalog.h"
#include "base/threads.h"
#include "stages/model_directory.h"
#include "text/tokenizer_json.h"

namespace {

using namespace hone;
namespace fs = std::filesystem;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A figure of /proc/self/status in bytes.
double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return 1024 * std::atof(line.c_str() + key.size() + 1);
  }
  return 0;
}

double weight_bytes(const fs::path& directory) {
  double bytes = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".safetensors") bytes += static_cast<double>(entry.file_size());
  }
  return bytes;
}

kernels::Compute compute_named(const std::string& name) {
  return name == "int8" ? kernels::Compute::int8 : name == "bfloat16" ? kernels::Compute::bfloat16 : kernels::Compute::float32;
}

std::unique_ptr<Model> load(const fs::path& directory, kernels::Compute compute, WeightUse use) {
  const std::unique_ptr<PolicySpec> spec = read_policy_spec(directory, built_in());
  auto model = std::make_unique<Model>(*spec, HeadPlan{}, compute, use);
  load_weights(*model, directory);
  return model;
}

double save_seconds(const fs::path& directory, const fs::path& copy) {
  const std::unique_ptr<Model> model = load(directory, kernels::Compute::float32, WeightUse::edit);
  const std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(directory);
  const double start = seconds();
  save_model_directory(*model, *tokenizer, copy);
  return seconds() - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: model_files MODEL float32|bfloat16|int8 [runs] [COPY]\n", stderr);
    return 2;
  }
  const fs::path directory = argv[1];
  const kernels::Compute compute = compute_named(argv[2]);
  const int runs = argc > 3 ? std::atoi(argv[3]) : 3;
  const std::string copy = argc > 4 ? argv[4] : "";
  set_threads(2);
  at::set_num_threads(1);
  const double bytes = weight_bytes(directory);
  const double before = status_bytes("VmRSS");
  double best_load = 1e30;
  double peak = 0;
  double held = 0;
  for (int run = 0; run < runs; ++run) {
    const double start = seconds();
    const std::unique_ptr<Model> model = load(directory, compute, WeightUse::compute);
    best_load = std::min(best_load, seconds() - start);
    if (run == 0) peak = status_bytes("VmHWM") - before;
    held = static_cast<double>(model->store.held_bytes());
  }
  fmt::print("{{\"bytes\": {:.0f}, \"load_s\": {:.4f}, \"load_gb_per_s\": {:.3f}, \"peak_ratio\": {:.3f}, \"held_ratio\": {:.3f}",
             bytes, best_load, bytes / best_load * 1e-9, peak / bytes, held / bytes);
  if (!copy.empty()) {
    double best_save = 1e30;
    for (int run = 0; run < runs; ++run) best_save = std::min(best_save, save_seconds(directory, copy));
    fmt::print(", \"save_s\": {:.4f}", best_save);
  }
  fmt::print("}}\n");
}
