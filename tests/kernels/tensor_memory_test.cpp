#include "kernels/tensor_memory.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "kernels/oracle.h"

namespace {

bool at_a_line(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % 64 == 0; }

}  // namespace

TEST_CASE("kernels: tensors' memory is aligned, as large as asked for, and not shared while it is in use") {
  c10::Allocator& memory = hone::kernels::tensor_memory();
  for (int round = 0; round < 2; ++round) {  // the second one gets blocks of the first
    std::vector<c10::DataPtr> blocks;
    std::vector<std::size_t> sizes;
    for (std::size_t size = 1; size <= (3U << 20); size += 1 + size / 3) {
      blocks.push_back(memory.allocate(size));
      sizes.push_back(size);
      CHECK(at_a_line(blocks.back().get()));
      std::memset(blocks.back().get(), static_cast<int>(sizes.size()), size);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto* bytes = static_cast<const unsigned char*>(blocks[i].get());
      CHECK(bytes[0] == (i + 1) % 256);
      CHECK(bytes[sizes[i] - 1] == (i + 1) % 256);
    }
  }
  CHECK(memory.allocate(0).get() == nullptr);
}

TEST_CASE("kernels: a freed block serves the next tensor of its size, and not all that was freed is kept") {
  c10::Allocator& memory = hone::kernels::tensor_memory();
  c10::DataPtr block = memory.allocate(5000);
  void* const place = block.get();
  block.clear();
  CHECK(memory.allocate(4990).get() == place);
  std::vector<c10::DataPtr> many;
  for (int i = 0; i < 100; ++i) many.push_back(memory.allocate(1U << 20));
  many.clear();
  std::set<void*> again;
  for (int i = 0; i < 100; ++i) {
    many.push_back(memory.allocate(1U << 20));
    again.insert(many.back().get());
  }
  CHECK(again.size() == 100);
}

TEST_CASE("kernels: tensors use the memory once it is theirs") {
  c10::Allocator* const before = c10::GetAllocator(c10::DeviceType::CPU);
  hone::kernels::use_tensor_memory();
  CHECK(c10::GetAllocator(c10::DeviceType::CPU) == &hone::kernels::tensor_memory());
  at::Tensor a = at::ones({3, 100});
  a.resize_({40, 1000}).fill_(2.0F);
  CHECK(a.sum().item<float>() == 80000.0F);
  c10::SetAllocator(c10::DeviceType::CPU, before, 1);
}

TEST_CASE("kernels: raw blocks of every size are given back, as LibTorch's products in bfloat16 do") {
  c10::Allocator& memory = hone::kernels::tensor_memory();
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, std::size_t{1} << 20, (std::size_t{1} << 20) + 1}) {
    CAPTURE(bytes);
    void* const block = memory.raw_allocate(bytes);
    CHECK((block == nullptr) == (bytes == 0));
    CHECK(at_a_line(block));
    if (block != nullptr) std::memset(block, 1, bytes);
    memory.raw_deallocate(block);
  }
}
