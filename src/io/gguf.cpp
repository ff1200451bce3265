#include "io/gguf.h"

#include "base/error.h"
#include "base/threads.h"
#include "io/file.h"
#include "io/float_bits.h"
#include "io/tensor_values.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <set>

namespace hone {
namespace {

constexpr std::uint64_t kAlignment = 32;  // what readers assume without general.alignment
constexpr std::uint64_t kBlock = 32;      // of q8_0
constexpr std::uint64_t kBlockBytes = 2 + kBlock;

std::uint64_t aligned(std::uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

/// Numbers in the file are little-endian, as on every machine that hone runs on.
class Header {
 public:
  template <class Number>
  void number(Number value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void text(const std::string& value) {
    number<std::uint64_t>(value.size());
    bytes_ += value;
  }

  void put(const std::string& value) { text(value); }
  void put(bool value) { number<std::uint8_t>(value); }
  void put(std::monostate) { HONE_ASSERT(false); }  // a list of lists
  void put(const GgufList& list) {
    number(static_cast<std::uint32_t>(list.index()));
    std::visit([this](const auto& items) { put_items(items); }, list);
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void put(Number value) { number(value); }

  std::string& bytes() { return bytes_; }

 private:
  void put_items(std::monostate) { HONE_ASSERT(false); }
  template <class Item>
  void put_items(const std::vector<Item>& items) {
    number<std::uint64_t>(items.size());
    for (const Item& item : items) put(item);
  }
  void put_items(const std::vector<bool>& items) {
    number<std::uint64_t>(items.size());
    for (const bool item : items) put(item);
  }

  std::string bytes_;
};

std::uint64_t value_count(const GgufTensor& tensor) {
  const auto count = element_count(tensor.shape);
  HONE_ASSERT(count.has_value() && !tensor.shape.empty() && tensor.shape.size() <= 4);
  return *count;
}

std::uint64_t data_bytes(const GgufTensor& tensor) {
  const std::uint64_t count = value_count(tensor);
  const auto width = static_cast<std::uint64_t>(tensor.shape.back());
  return count == 0 ? 0 : count / width * gguf_row_bytes(tensor.type, width);
}

std::string header_of(std::span<const std::pair<std::string, GgufValue>> keys, std::span<const GgufTensor> tensors) {
  Header header;
  header.bytes() = "GGUF";
  header.number<std::uint32_t>(3);
  header.number<std::uint64_t>(tensors.size());
  header.number<std::uint64_t>(keys.size());
  std::set<std::string_view> seen;
  for (const auto& [key, value] : keys) {
    HONE_ASSERT(seen.insert(key).second);
    header.text(key);
    header.number(static_cast<std::uint32_t>(value.index()));
    std::visit([&header](const auto& item) { header.put(item); }, value);
  }
  seen.clear();
  std::uint64_t offset = 0;
  for (const GgufTensor& tensor : tensors) {
    HONE_ASSERT(seen.insert(tensor.name).second);
    header.text(tensor.name);
    header.number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
      header.number(static_cast<std::uint64_t>(*size));
    }
    header.number(static_cast<std::uint32_t>(tensor.type));
    header.number(offset);
    offset += aligned(data_bytes(tensor));
  }
  header.bytes().resize(aligned(header.bytes().size()), '\0');
  return std::move(header.bytes());
}

/// Returns whether the type could hold every value.
bool encode(std::span<const float> values, GgufType type, std::byte* to) {
  switch (type) {
    case GgufType::f32: return store_floats(values, DType::f32, to);
    case GgufType::f16: return store_floats(values, DType::f16, to);
    case GgufType::bf16: return store_floats(values, DType::bf16, to);
    case GgufType::q8_0: return quantize_q8_0(values, to);
  }
  return false;
}

bool quantize_block(const float* values, std::byte* to) {
  float greatest = 0;
  bool finite = true;
  for (std::uint64_t i = 0; i < kBlock; ++i) {
    greatest = std::max(greatest, std::fabs(values[i]));
    finite &= std::isfinite(values[i]);
  }
  const float scale = greatest / 127;
  const std::uint16_t stored = float_to_float16(scale);
  if (!finite || stored >= 0x7c00) return false;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  std::memcpy(to, &stored, 2);
  for (std::uint64_t i = 0; i < kBlock; ++i) {
    // A scale so small that its inverse is infinite belongs to a block of subnormal floats.
    const float scaled = std::isinf(inverse) ? 0.0f : std::round(values[i] * inverse);
    to[2 + i] = static_cast<std::byte>(static_cast<std::int8_t>(scaled));
  }
  return true;
}

}  // namespace

std::uint64_t gguf_row_bytes(GgufType type, std::uint64_t width) {
  switch (type) {
    case GgufType::f32: return 4 * width;
    case GgufType::f16:
    case GgufType::bf16: return 2 * width;
    case GgufType::q8_0: break;
  }
  HONE_ASSERT(width % kBlock == 0);
  return width / kBlock * kBlockBytes;
}

bool quantize_q8_0(std::span<const float> values, std::byte* to) {
  HONE_ASSERT(values.size() % kBlock == 0);
  std::atomic<bool> fits = true;
  parallel_for(static_cast<std::int64_t>(values.size() / kBlock), 256, [&](std::int64_t begin, std::int64_t end) {
    for (auto block = static_cast<std::uint64_t>(begin); block < static_cast<std::uint64_t>(end); ++block) {
      if (!quantize_block(values.data() + block * kBlock, to + block * kBlockBytes)) fits = false;
    }
  });
  return fits;
}

void write_gguf(const std::filesystem::path& path, std::span<const std::pair<std::string, GgufValue>> keys,
                std::span<const GgufTensor> tensors) {
  AtomicFile file(path);
  file.write(header_of(keys, tensors));
  std::vector<float> values;
  std::vector<std::byte> encoded;
  for (const GgufTensor& tensor : tensors) {
    values.resize(value_count(tensor));
    tensor.fill(values.data());
    encoded.assign(aligned(data_bytes(tensor)), std::byte{0});
    if (!encode(values, tensor.type, encoded.data())) {
      fail(ErrorKind::data, "tensor {} has values that its type in the file cannot hold; choose a wider one",
           tensor.name);
    }
    file.write(std::span<const std::byte>(encoded));
  }
  file.commit();
}

}  // namespace hone
