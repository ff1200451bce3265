#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"
#include "io/file.h"
#include "io/tensor_values.h"

#include <algorithm>
#include <set>

namespace hone {
namespace {

constexpr std::size_t kChunk = 1 << 22;  // floats that are converted between two writes

/// What the tensor becomes in the file.
DType stored_type(const TensorView& tensor, DType floats) {
  return tensor.dtype == DType::f32 ? floats : tensor.dtype;
}

std::uint64_t stored_bytes(const TensorView& tensor, DType floats) {
  HONE_ASSERT(byte_count(tensor.dtype, tensor.shape) == tensor.bytes.size());
  return *byte_count(stored_type(tensor, floats), tensor.shape);
}

std::string header_of(std::span<const TensorView* const> order, DType floats,
                      const std::map<std::string, std::string>& metadata) {
  Json::Object header;
  Json::Object words;
  for (const auto& [key, value] : metadata) words.emplace_back(key, Json(value));
  header.emplace_back("__metadata__", Json(std::move(words)));
  std::int64_t offset = 0;
  std::set<std::string_view> seen;
  for (const TensorView* tensor : order) {
    HONE_ASSERT(seen.insert(tensor->name).second);
    const auto end = offset + static_cast<std::int64_t>(stored_bytes(*tensor, floats));
    Json::Object entry;
    entry.emplace_back("dtype", Json(dtype_name(stored_type(*tensor, floats))));
    entry.emplace_back("shape", Json(Json::Array(tensor->shape.begin(), tensor->shape.end())));
    entry.emplace_back("data_offsets", Json(Json::Array{Json(offset), Json(end)}));
    header.emplace_back(tensor->name, Json(std::move(entry)));
    offset = end;
  }
  std::string text = Json(std::move(header)).dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

void write_converted(AtomicFile& file, const TensorView& tensor, DType stored, std::vector<std::byte>& buffer) {
  HONE_ASSERT(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0);
  const std::span values(reinterpret_cast<const float*>(tensor.bytes.data()), tensor.bytes.size() / sizeof(float));
  for (std::size_t at = 0; at < values.size(); at += kChunk) {
    const std::span<const float> part = values.subspan(at, std::min(kChunk, values.size() - at));
    buffer.resize(part.size() * element_bits(stored) / 8);
    if (!store_floats(part, stored, buffer.data())) {
      fail(ErrorKind::data, "tensor {} has values beyond the greatest of {}; choose a wider type for the weights",
           tensor.name, dtype_name(stored));
    }
    file.write(std::span<const std::byte>(buffer));
  }
}

}  // namespace

void write_safetensors_as(const std::filesystem::path& path, std::span<const TensorView> tensors, DType stored,
                          std::map<std::string, std::string> metadata) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [stored](const TensorView* a, const TensorView* b) {
    return element_bits(stored_type(*a, stored)) > element_bits(stored_type(*b, stored));
  });
  metadata.emplace("format", "pt");
  const std::string header = header_of(order, stored, metadata);
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  std::vector<std::byte> buffer;
  for (const TensorView* tensor : order) {
    if (stored_type(*tensor, stored) == tensor->dtype) {
      file.write(tensor->bytes);
    } else {
      write_converted(file, *tensor, stored, buffer);
    }
  }
  file.commit();
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       std::map<std::string, std::string> metadata) {
  write_safetensors_as(path, tensors, DType::f32, std::move(metadata));
}

}  // namespace hone
