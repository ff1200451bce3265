#pragma once

#include "io/tensor_view.h"

#include <filesystem>

namespace hone {

struct WeightFiles {
  DType stored = DType::f32;                       ///< of every F32 tensor: F32, F16 or BF16
  std::uint64_t max_shard_bytes = 50'000'000'000;  ///< a greater tensor gets a file of its own
};

/// Writes a model's weights into an existing directory, as transformers does: model.safetensors when they fit one
/// file, else model-00001-of-00003.safetensors … filled in the order given, and model.safetensors.index.json with the
/// weight_map. The same tensors give the same bytes. Meant for the path of an AtomicDirectory: a failure in the
/// middle leaves the files that were finished.
void write_weight_files(const std::filesystem::path& directory, std::span<const TensorView> tensors,
                        const WeightFiles& files = {});

}  // namespace hone
