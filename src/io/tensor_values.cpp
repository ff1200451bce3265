#include "io/tensor_values.h"

#include "base/error.h"
#include "base/threads.h"
#include "io/float_bits.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace hone {
namespace {

constexpr std::int64_t kBlock = 1 << 18;  // elements between two looks at the page tables

template <class Stored>
float value_of(Stored stored) {
  return static_cast<float>(stored);
}
struct Float16 {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};
struct Boolean {
  std::uint8_t byte;
};
inline float value_of(Float16 stored) { return float16_to_float(stored.bits); }
inline float value_of(BFloat16 stored) { return bfloat16_to_float(stored.bits); }
inline float value_of(Boolean stored) { return stored.byte != 0 ? 1.0f : 0.0f; }

/// Values that are converted together: a loop of fixed length becomes vector code, and its input an aligned copy.
constexpr std::int64_t kRun = 64;

template <class Stored>
void convert(const std::byte* from, float* to, std::int64_t count) {
  Stored stored[kRun];
  std::int64_t at = 0;
  for (; at + kRun <= count; at += kRun) {
    std::memcpy(stored, from + at * static_cast<std::int64_t>(sizeof(Stored)), sizeof(stored));
    for (std::int64_t i = 0; i < kRun; ++i) to[at + i] = value_of(stored[i]);
  }
  std::memcpy(stored, from + at * static_cast<std::int64_t>(sizeof(Stored)),
              static_cast<std::size_t>(count - at) * sizeof(Stored));
  for (std::int64_t i = 0; i < count - at; ++i) to[at + i] = value_of(stored[i]);
}

void convert_float32(const std::byte* from, float* to, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

using Convert = void (*)(const std::byte*, float*, std::int64_t);

Convert converter_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return convert_float32;
    case DType::f16: return convert<Float16>;
    case DType::bf16: return convert<BFloat16>;
    case DType::f64: return convert<double>;
    case DType::i64: return convert<std::int64_t>;
    case DType::i32: return convert<std::int32_t>;
    case DType::i16: return convert<std::int16_t>;
    case DType::i8: return convert<std::int8_t>;
    case DType::u8: return convert<std::uint8_t>;
    case DType::u16: return convert<std::uint16_t>;
    case DType::u32: return convert<std::uint32_t>;
    case DType::u64: return convert<std::uint64_t>;
    case DType::boolean: return convert<Boolean>;
    default: return nullptr;
  }
}

/// The whole pages of a range of a mapped file.
std::span<std::byte> pages_of(const std::byte* begin, std::size_t size) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
  return {reinterpret_cast<std::byte*>(first), last > first ? last - first : 0};
}

/// Advice may be refused (an old kernel, say) and then costs speed or memory only.
void advise(std::span<std::byte> pages, int advice) {
  if (!pages.empty()) static_cast<void>(::madvise(pages.data(), pages.size(), advice));
}

/// The pages of elements [begin, end), none of a view in memory.
std::span<std::byte> pages_of(const TensorView& view, std::int64_t begin, std::int64_t end) {
  if (!view.mapped || begin >= end) return {};
  const auto width = static_cast<std::int64_t>(element_bits(view.dtype) / 8);
  return pages_of(view.bytes.data() + begin * width, static_cast<std::size_t>((end - begin) * width));
}

/// Checks that the view can be read as floats.
Convert checked_converter(const TensorView& view) {
  const Convert convert = converter_of(view.dtype);
  if (convert == nullptr) {
    fail(ErrorKind::data,
         "tensor {} is {}, which is not supported: expected F32, BF16, F16, F64, BOOL or whole numbers", view.name,
         dtype_name(view.dtype));
  }
  if (byte_count(view.dtype, view.shape) != view.bytes.size()) {
    fail(ErrorKind::data, "tensor {}: {} bytes do not make shape {} of {}", view.name, view.bytes.size(),
         shape_text(view.shape), dtype_name(view.dtype));
  }
  return convert;
}

/// Values [begin, end) of the view, block by block.
void convert_range(const TensorView& view, Convert convert, std::int64_t begin, std::int64_t end, float* to) {
  const auto width = static_cast<std::int64_t>(element_bits(view.dtype) / 8);
  for (std::int64_t at = begin; at < end; at += kBlock) {
    const std::int64_t next = std::min(at + kBlock, end);
    advise(pages_of(view, next, std::min(next + kBlock, end)), MADV_WILLNEED);
    fetch_pages(view, at, next);
    convert(view.bytes.data() + at * width, to + at, next - at);
    release_pages(view, at, next);
  }
}

/// `store` is a parameter of the template so that its code is part of the loop. Returns whether no finite value
/// became infinite.
template <std::uint16_t store(float), std::uint16_t infinity>
bool store_range(const float* from, std::int64_t count, std::byte* to) {
  std::uint16_t stored[kRun];
  std::uint32_t overflows = 0;
  for (std::int64_t at = 0; at < count; at += kRun) {
    float values[kRun] = {};
    const auto size = static_cast<std::size_t>(std::min(kRun, count - at));
    std::memcpy(values, from + at, size * sizeof(float));
    for (std::int64_t i = 0; i < kRun; ++i) stored[i] = store(values[i]);
    for (std::int64_t i = 0; i < kRun; ++i) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffffu;
      overflows |= ((stored[i] & 0x7fffu) == infinity) & (magnitude < 0x7f800000u);
    }
    std::memcpy(to + 2 * at, stored, 2 * size);
  }
  return overflows == 0;
}

}  // namespace

bool has_float32_values(DType dtype) { return converter_of(dtype) != nullptr; }

void copy_as_float32(const TensorView& view, float* to) {
  const Convert convert = checked_converter(view);
  const auto count = static_cast<std::int64_t>(*element_count(view.shape));
  parallel_for(count, kBlock,
               [&](std::int64_t begin, std::int64_t end) { convert_range(view, convert, begin, end, to); });
}

void copy_as_float32(const TensorView& view, std::int64_t begin, std::int64_t end, float* to) {
  const Convert convert = checked_converter(view);
  HONE_ASSERT(begin >= 0 && begin <= end && static_cast<std::uint64_t>(end) <= *element_count(view.shape));
  convert(view.bytes.data() + begin * static_cast<std::int64_t>(element_bits(view.dtype) / 8), to, end - begin);
}

/// All pages at once: a fault for each costs more than reading it.
void fetch_pages(const TensorView& view, std::int64_t begin, std::int64_t end) {
  advise(pages_of(view, begin, end), MADV_POPULATE_READ);
}

void release_pages(const TensorView& view, std::int64_t begin, std::int64_t end) {
  advise(pages_of(view, begin, end), MADV_DONTNEED);
}

bool store_floats(std::span<const float> from, DType stored, std::byte* to) {
  HONE_ASSERT(stored == DType::f32 || stored == DType::f16 || stored == DType::bf16);
  if (stored == DType::f32) {
    std::memcpy(to, from.data(), from.size_bytes());
    return true;
  }
  std::atomic<bool> stayed = true;
  parallel_for(static_cast<std::int64_t>(from.size()), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const float* values = from.data() + begin;
    std::byte* place = to + 2 * begin;
    const bool finite = stored == DType::f16 ? store_range<float_to_float16, 0x7c00>(values, end - begin, place)
                                             : store_range<float_to_bfloat16, 0x7f80>(values, end - begin, place);
    if (!finite) stayed = false;
  });
  return stayed;
}

}  // namespace hone
