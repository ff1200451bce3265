#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace hone::kernels {

/// Memory that only grows and is aligned to a cache line; contents are lost when it grows. Held thread_local by the
/// kernels, so that a call allocates nothing but its result. Blocks that fill huge pages ask for them: the processor
/// fetches ahead within a page only.
class Scratch {
 public:
  template <class T>
  T* reserve(std::int64_t count) {
    const std::int64_t wanted = count * static_cast<std::int64_t>(sizeof(T));
    if (wanted > bytes_) {
      constexpr std::int64_t line = 64, huge_page = 2 << 20;
      const std::int64_t unit = wanted > huge_page / 2 ? huge_page : line;
      const std::int64_t bytes = (wanted + unit - 1) / unit * unit;
      memory_.reset();
      memory_.reset(std::aligned_alloc(static_cast<std::size_t>(unit), static_cast<std::size_t>(bytes)));
      if (memory_ == nullptr) throw std::bad_alloc();
      if (unit == huge_page) static_cast<void>(::madvise(memory_.get(), static_cast<std::size_t>(bytes), MADV_HUGEPAGE));
      bytes_ = bytes;
    }
    return static_cast<T*>(memory_.get());
  }

  /// What the last reserve returned.
  template <class T>
  const T* data() const {
    return static_cast<const T*>(memory_.get());
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory_;
  std::int64_t bytes_ = 0;
};

}  // namespace hone::kernels
