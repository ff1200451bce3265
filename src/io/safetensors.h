#pragma once

#include "io/mapped_file.h"
#include "io/tensor_view.h"

#include <map>
#include <unordered_map>

namespace hone {

/// What one file in the safetensors format holds, its tensors in the order of their data. The views point into the
/// bytes that were parsed.
struct SafetensorsContents {
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a whole file that lies in memory and checks every rule of the format: a header of at most 100 MB that begins
/// with '{' and is JSON in UTF-8 without duplicate keys, `__metadata__` a map of strings, known dtypes, shape × dtype
/// equal to the byte range, ranges that cover the data up to its end without holes or overlap. A file that breaks one
/// (a truncated copy, say) is Error{data} naming `source`, tensor, expected and found.
SafetensorsContents parse_safetensors(std::span<const std::byte> file, const std::string& source);

/// The tensors of a model in the safetensors format, mapped: bytes are read from disk when touched.
///
/// Opening validates each file as parse_safetensors does. A sharded model's files must lie beside the index and hold
/// exactly the tensors that its weight_map gives them; shards of another save in the same directory are refused, and
/// so is a directory with a whole model and an index of shards.
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

/// The same with every F32 tensor stored as `stored`: F32, F16 or BF16. Error{data} that names a tensor with a finite
/// value beyond what F16 can hold.
void write_safetensors_as(const std::filesystem::path& path, std::span<const TensorView> tensors, DType stored,
                          std::map<std::string, std::string> metadata = {});

}  // namespace hone
