#include "io/model_files.h"

#include "base/error.h"
#include "base/json.h"
#include "io/file.h"
#include "io/safetensors.h"

#include <algorithm>

namespace hone {
namespace {

/// Consecutive tensors of one file.
struct Shard {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::uint64_t stored_size(const TensorView& tensor, DType stored) {
  const auto size = byte_count(tensor.dtype == DType::f32 ? stored : tensor.dtype, tensor.shape);
  HONE_ASSERT(size.has_value());
  return *size;
}

std::vector<Shard> cut(std::span<const TensorView> tensors, const WeightFiles& files) {
  std::vector<Shard> shards;
  std::uint64_t filled = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t size = stored_size(tensors[i], files.stored);
    if (shards.empty() || size > files.max_shard_bytes || filled > files.max_shard_bytes - size) {
      shards.push_back({i, i});
      filled = 0;
    }
    filled = size > files.max_shard_bytes ? files.max_shard_bytes : filled + size;
    shards.back().end = i + 1;
  }
  if (shards.empty()) shards.push_back({});
  return shards;
}

std::string index_json(std::span<const TensorView> tensors, const std::vector<Shard>& shards,
                       const std::vector<std::string>& names, DType stored) {
  std::uint64_t parameters = 0, bytes = 0;
  std::vector<std::pair<std::string, std::string>> homes;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    for (std::size_t i = shards[s].begin; i < shards[s].end; ++i) {
      parameters += *element_count(tensors[i].shape);
      bytes += stored_size(tensors[i], stored);
      homes.emplace_back(tensors[i].name, names[s]);
    }
  }
  std::sort(homes.begin(), homes.end());
  Json::Object map(homes.begin(), homes.end());
  Json metadata = Json::object();
  metadata.set("total_parameters", static_cast<std::int64_t>(parameters));
  metadata.set("total_size", static_cast<std::int64_t>(bytes));
  Json index = Json::object();
  index.set("metadata", std::move(metadata));
  index.set("weight_map", Json(std::move(map)));
  return index.dump(2) + "\n";
}

}  // namespace

void write_weight_files(const std::filesystem::path& directory, std::span<const TensorView> tensors,
                        const WeightFiles& files) {
  const std::vector<Shard> shards = cut(tensors, files);
  if (shards.size() == 1) return write_safetensors_as(directory / "model.safetensors", tensors, files.stored);
  std::vector<std::string> names;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    names.push_back(fmt::format("model-{:05}-of-{:05}.safetensors", s + 1, shards.size()));
    write_safetensors_as(directory / names[s], tensors.subspan(shards[s].begin, shards[s].end - shards[s].begin),
                         files.stored);
  }
  write_file_atomic(directory / "model.safetensors.index.json", index_json(tensors, shards, names, files.stored));
}

}  // namespace hone
