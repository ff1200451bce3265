#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace hone::kernels {

/// Memory that only grows and is aligned to a cache line; contents are lost when it grows. Held thread_local by the
/// kernels, so that a call allocates nothing but its result.
class Scratch {
 public:
  template <class T>
  T* reserve(std::int64_t count) {
    const std::int64_t bytes = (count * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
    if (bytes > bytes_) {
      memory_.reset();
      memory_.reset(std::aligned_alloc(64, static_cast<std::size_t>(bytes)));
      if (memory_ == nullptr) throw std::bad_alloc();
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
