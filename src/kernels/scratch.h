#pragma once

#include <cstdint>

#include "kernels/pages.h"

namespace hone::kernels {

/// Memory that only grows and is aligned to a cache line; contents are lost when it grows. Held thread_local by the
/// kernels, so that a call allocates nothing but its result.
class Scratch {
 public:
  template <class T>
  T* reserve(std::int64_t count) {
    const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(T));
    if (bytes > memory_.bytes()) {
      memory_ = Pages();  // before there is more
      memory_ = Pages(bytes);
    }
    return memory_.data<T>();
  }

  /// What the last reserve returned.
  template <class T>
  const T* data() const {
    return memory_.data<T>();
  }
  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  Pages memory_;
};

}  // namespace hone::kernels
