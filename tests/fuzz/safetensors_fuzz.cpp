#include "base/error.h"
#include "io/safetensors.h"
#include "io/tensor_values.h"

#include <cstdint>

/// Any bytes are a safetensors file or Error{data}; the tensors of an accepted one lie within it, do not overlap and
/// fill it, and can be read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> file = std::as_bytes(std::span(data, size));
  hone::SafetensorsContents contents;
  try {
    contents = hone::parse_safetensors(file, "input");
  } catch (const hone::Error& error) {
    HONE_ASSERT(error.kind() == hone::ErrorKind::data);
    return 0;
  }
  const std::byte* end = nullptr;
  for (const hone::TensorView& tensor : contents.tensors) {
    HONE_ASSERT(hone::byte_count(tensor.dtype, tensor.shape) == tensor.bytes.size());
    HONE_ASSERT(tensor.bytes.data() >= file.data() && (end == nullptr || tensor.bytes.data() == end));
    end = tensor.bytes.data() + tensor.bytes.size();
    if (!hone::has_float32_values(tensor.dtype)) continue;
    std::vector<float> values(*hone::element_count(tensor.shape));
    hone::copy_as_float32(tensor, values.data());
  }
  HONE_ASSERT(end == nullptr || end == file.data() + file.size());
  return 0;
}
