#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"
#include "io/file.h"

#include <algorithm>
#include <set>

namespace hone {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWhole = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

/// Tensor to shard, as the index says.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  const std::string file = index.string();
  const Json json = Json::parse_unique(read_file(index), file);
  const Json* map = json.find("weight_map");
  if (map == nullptr || !map->is_object()) fail(ErrorKind::data, "{}: expected an object `weight_map`", file);
  if (map->as_object().empty()) fail(ErrorKind::data, "{}: `weight_map` names no tensor", file);
  std::map<std::string, std::string> homes;
  for (const auto& [tensor, shard] : map->as_object()) {
    if (!shard.is_string()) {
      fail(ErrorKind::data, "{}: the shard of tensor {} must be a file's name, not {}", file, tensor, shard.dump());
    }
    const std::string& name = shard.as_string();
    if (name.empty() || name == "." || name == ".." || fs::path(name).filename() != name ||
        name.find('\0') != name.npos) {
      fail(ErrorKind::data, "{}: shard {} of tensor {} must be a file beside the index", file, shard.dump(), tensor);
    }
    homes.emplace(tensor, name);
  }
  return homes;
}

/// Whether `text` looks like "-00001-of-00003.safetensors".
bool is_shard_suffix(std::string_view text) {
  static constexpr std::string_view pattern = "-00000-of-00000.safetensors";
  return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(), [](char found, char expected) {
    return expected == '0' ? found >= '0' && found <= '9' : found == expected;
  });
}

/// Shards that lie in the directory but belong to another save would be half of a model that nobody asked for.
void refuse_stray_shards(const fs::path& index, const std::set<std::string>& shards) {
  static constexpr std::string_view suffix = ".safetensors.index.json";
  const std::string name = index.filename().string();
  if (!name.ends_with(suffix)) return;
  const std::string stem = name.substr(0, name.size() - suffix.size());
  const fs::path directory = index.parent_path().empty() ? fs::path(".") : index.parent_path();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(stem) || shards.count(file) != 0) continue;
    if (is_shard_suffix(std::string_view(file).substr(stem.size()))) {
      fail(ErrorKind::data, "{}: {} lies beside it and is none of its shards; delete what is of another save",
           index.string(), file);
    }
  }
  if (error) fail_system("cannot list", directory, error.value());
}

/// The file of a directory that holds its weights.
fs::path weights_in(const fs::path& directory) {
  const fs::path whole = directory / kWhole;
  const fs::path index = directory / kIndex;
  const bool has_whole = fs::exists(whole);
  const bool has_index = fs::exists(index);
  if (!has_whole && !has_index) {
    const bool pickled = fs::exists(directory / "pytorch_model.bin") || fs::exists(directory / "pytorch_model.bin.index.json");
    fail(ErrorKind::io, "{}: neither {} nor {} is in it{}", directory.string(), kWhole, kIndex,
         pickled ? "; pytorch_model.bin is a pickle, which can run any program and is not read: load the model with "
                   "transformers and save it again, that writes safetensors"
                 : "");
  }
  if (!has_index) return whole;
  if (!has_whole) return index;
  for (const auto& [tensor, shard] : read_weight_map(index)) {
    if (shard == kWhole) continue;
    fail(ErrorKind::data,
         "{}: both {} and {} are in it, and the index has tensor {} in {}: which of the two saves is meant? Delete "
         "the "
         "other one",
         directory.string(), kWhole, kIndex, tensor, shard);
  }
  return index;
}

}  // namespace

void Safetensors::add_file(const fs::path& path) {
  const std::string file = path.string();
  SafetensorsContents contents = parse_safetensors(files_.emplace_back(path).bytes(), file);
  if (files_.size() == 1) metadata_ = std::move(contents.metadata);
  for (TensorView& view : contents.tensors) {
    view.mapped = true;
    if (!by_name_.emplace(view.name, tensors_.size()).second) {
      fail(ErrorKind::data, "{}: tensor {} is also in an earlier shard", file, view.name);
    }
    tensors_.push_back(std::move(view));
  }
}

void Safetensors::add_shards(const fs::path& index) {
  const std::string file = index.string();
  const std::map<std::string, std::string> homes = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : homes) shards.insert(shard);
  refuse_stray_shards(index, shards);
  for (const std::string& shard : shards) {
    const fs::path path = index.parent_path() / shard;
    if (!fs::exists(path)) {
      fail(ErrorKind::data, "{}: shard {} is missing; fetch the whole model again", file, shard);
    }
    const std::size_t first = tensors_.size();
    add_file(path);
    for (std::size_t i = first; i < tensors_.size(); ++i) {
      const auto home = homes.find(tensors_[i].name);
      if (home == homes.end()) {
        fail(ErrorKind::data, "{}: tensor {} of {} is not in the weight_map", file, tensors_[i].name, shard);
      }
      if (home->second != shard) {
        fail(ErrorKind::data, "{}: tensor {} should be in {}, but {} has it", file, home->first, home->second, shard);
      }
    }
  }
  for (const auto& [tensor, shard] : homes) {
    if (by_name_.count(tensor) == 0) {
      fail(ErrorKind::data, "{}: tensor {} should be in {}, but that file does not have it", file, tensor, shard);
    }
  }
}

Safetensors Safetensors::open(const fs::path& path) {
  Safetensors result;
  const fs::path file = fs::is_directory(path) ? weights_in(path) : path;
  if (file.extension() == ".json") {
    result.add_shards(file);
  } else {
    result.add_file(file);
  }
  return result;
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace hone
