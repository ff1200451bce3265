#include "text/jinja/runtime.h"

#include <algorithm>
#include <cstdint>

namespace hone::jinja {

namespace {
constexpr std::size_t first_block = 16u << 10;
constexpr std::size_t largest_block = 1u << 20;
}  // namespace

void* Runtime::allocate(std::size_t bytes, std::size_t alignment) {
  std::size_t skip = (alignment - reinterpret_cast<std::uintptr_t>(at_) % alignment) % alignment;
  if (bytes + skip > left_) {
    const std::size_t block = std::max(bytes, std::min(first_block << std::min<std::size_t>(blocks_.size(), 6),
                                                       largest_block));
    if (allocated_ + block > limits.memory_bytes) out_of_memory();
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    allocated_ += block;
    at_ = blocks_.back().get();
    left_ = block;
    skip = 0;
  }
  char* place = at_ + skip;
  at_ = place + bytes;
  left_ -= bytes + skip;
  return place;
}

void Runtime::out_of_memory() const {
  fail("the template needs more than {} bytes of memory to render", limits.memory_bytes);
}

}  // namespace hone::jinja
