#pragma once

#include <cstdint>
#include <utility>

namespace hone::kernels {

/// Memory of its own from the system, for what is large and lives long: in huge pages where they fit, so that fresh
/// memory costs few page faults. Aligned to a cache line at least. Contents are zero until they are written.
class Pages {
 public:
  Pages() = default;
  /// Throws std::bad_alloc.
  explicit Pages(std::int64_t bytes);
  ~Pages();
  Pages(Pages&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  template <class T>
  T* data() {
    return static_cast<T*>(memory_);
  }
  template <class T>
  const T* data() const {
    return static_cast<const T*>(memory_);
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  void* memory_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace hone::kernels
