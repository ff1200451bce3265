#include "kernels/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace hone::kernels {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

Pages::Pages(std::int64_t bytes) : bytes_((bytes + 63) / 64 * 64) {
  if (bytes_ == 0) return;
  // Only whole huge pages within the range become huge, so that the last ones waste nothing.
  const auto size = static_cast<std::size_t>(bytes_);
  const std::size_t reserved = size + (size >= huge_page ? huge_page : 0);
  void* const start = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) throw std::bad_alloc();
  memory_ = start;
  if (size < huge_page) return;
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  const std::uintptr_t aligned = (address + huge_page - 1) / huge_page * huge_page;
  const std::size_t page = 4096;
  const std::uintptr_t end = (aligned + size + page - 1) / page * page;
  if (aligned > address) ::munmap(start, aligned - address);
  if (address + reserved > end) ::munmap(reinterpret_cast<void*>(end), address + reserved - end);
  memory_ = reinterpret_cast<void*>(aligned);
  static_cast<void>(::madvise(memory_, size, MADV_HUGEPAGE));  // may be refused: then it costs speed only
}

Pages::~Pages() {
  if (memory_ != nullptr) ::munmap(memory_, static_cast<std::size_t>(bytes_));
}

}  // namespace hone::kernels
