#include "kernels/tensor_memory.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace hone::kernels {

namespace {

constexpr std::size_t line = 64;  // before each block: its size class
constexpr std::size_t largest = std::size_t{1} << 20;
constexpr std::size_t most_held = std::size_t{16} << 20;
constexpr int least_width = 8;
constexpr std::size_t steps = 4;  // size classes from one power of two to the next
constexpr std::size_t classes = steps * 13;
constexpr std::size_t not_kept = classes;  // the class of what is larger than `largest`

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

/// Bytes rounded up to 5, 6, 7 or 8 eighths of a power of two.
SizeClass class_of(std::size_t bytes) {
  const std::size_t size = std::max(bytes, (std::size_t{1} << (least_width - 1)) + 1);
  const int width = std::bit_width(size - 1);
  const std::size_t step = std::size_t{1} << (width - 3);
  const std::size_t eighths = (size + step - 1) / step;
  return {static_cast<std::size_t>(width - least_width) * steps + eighths - 5, eighths * step};
}

/// Freed blocks by size class. Never destroyed: tensors may outlive everything.
class FreeBlocks {
 public:
  /// Null when there is none.
  void* take(const SizeClass& size) {
    const Lock lock(busy_);
    Block* const block = first_[size.index];
    if (block == nullptr) return nullptr;
    first_[size.index] = block->next;
    held_ -= size.bytes;
    return block;
  }
  /// False when enough is held.
  bool keep(void* memory, const SizeClass& size) {
    const Lock lock(busy_);
    if (held_ + size.bytes > most_held) return false;
    first_[size.index] = new (memory) Block{first_[size.index]};
    held_ += size.bytes;
    return true;
  }

 private:
  struct Block {
    Block* next;
  };
  struct Lock {
    explicit Lock(std::atomic_flag& flag) : busy(flag) {
      while (busy.test_and_set(std::memory_order_acquire)) {
      }
    }
    ~Lock() { busy.clear(std::memory_order_release); }
    std::atomic_flag& busy;
  };
  std::atomic_flag busy_;
  Block* first_[classes] = {};
  std::size_t held_ = 0;
};

FreeBlocks& free_blocks() {
  static FreeBlocks* const blocks = new FreeBlocks;
  return *blocks;
}

/// The line before a block.
SizeClass& size_of(void* block) { return *reinterpret_cast<SizeClass*>(static_cast<char*>(block) - line); }

/// As LibTorch's own allocator tells what measures memory, of which there is none outside of a measurement.
void report(void* block, std::int64_t bytes) {
  if (c10::memoryProfilingEnabled()) c10::reportMemoryUsageToProfiler(block, bytes, 0, 0, c10::Device(c10::DeviceType::CPU));
}

void release(void* block) {
  if (block == nullptr) return;
  if (size_of(block).index == not_kept) {
    c10::GetDefaultCPUAllocator()->raw_deallocate(static_cast<char*>(block) - line);
    return;
  }
  report(block, -static_cast<std::int64_t>(size_of(block).bytes));
  if (!free_blocks().keep(block, size_of(block))) std::free(static_cast<char*>(block) - line);
}

class TensorMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::DeviceType::CPU)};
    if (bytes > largest) return allocate_large(bytes);
    const SizeClass size = class_of(bytes);
    void* block = free_blocks().take(size);
    if (block == nullptr) {
      void* const start = std::aligned_alloc(line, (line + size.bytes + line - 1) / line * line);
      if (start == nullptr) throw std::bad_alloc();
      block = static_cast<char*>(start) + line;
      size_of(block) = size;
    }
    report(block, static_cast<std::int64_t>(size.bytes));
    return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
  }
  /// What LibTorch's products free their own buffers with.
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  static c10::DataPtr allocate_large(std::size_t bytes) {
    char* const start = static_cast<char*>(c10::GetDefaultCPUAllocator()->raw_allocate(line + bytes));
    void* const block = start + line;
    size_of(block) = {not_kept, bytes};
    return {block, block, &release, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

c10::Allocator& tensor_memory() {
  static TensorMemory* const memory = new TensorMemory;
  return *memory;
}

void use_tensor_memory() { c10::SetAllocator(c10::DeviceType::CPU, &tensor_memory(), 1); }

}  // namespace hone::kernels
