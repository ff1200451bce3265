#pragma once

#include "io/mapped_file.h"
#include "io/tensor_view.h"

#include <map>
#include <unordered_map>

namespace hone {

/// The tensors of a model in the safetensors format, mapped: bytes are read from disk when touched.
///
/// Opening validates everything that the format promises: header bounds and JSON, known dtypes, shape × dtype equal
/// to the byte range, ranges that cover the data without holes or overlap, shards that hold what the index says.
/// A file that breaks one of these (a truncated copy, say) is Error{data} naming file, tensor, expected and found.
class Safetensors {
 public:
  /// `path`: a .safetensors file, a …safetensors.index.json, or a directory with model.safetensors or
  /// model.safetensors.index.json.
  static Safetensors open(const std::filesystem::path& path);

  /// In the order of the files and their data. Views stay valid as long as this object lives, also when it is moved.
  std::span<const TensorView> tensors() const { return tensors_; }
  /// nullptr when there is no such tensor.
  const TensorView* find(std::string_view name) const;
  /// The `__metadata__` of the (first) file.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void add_file(const std::filesystem::path& path);
  void add_shards(const std::filesystem::path& index);

  std::vector<MappedFile> files_;
  std::vector<TensorView> tensors_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::map<std::string, std::string> metadata_;
};

/// Writes one file, atomically and straight from the views. Tensors are ordered by falling element size, then as
/// given, and the data starts at a multiple of 8, so every tensor is aligned to its element. `metadata` gains
/// {"format": "pt"}, which transformers asks for. Names must differ and bytes fit the shapes (programmer errors).
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       std::map<std::string, std::string> metadata = {});

}  // namespace hone
