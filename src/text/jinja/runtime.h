#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/jinja/limits.h"

namespace hone::jinja {

/// What one rendering uses: memory that lives until it ends, the limits and how much of them is used, and the line that
/// errors name. Values are plain pointers into this memory, so nothing is counted, freed or destroyed one by one.
class Runtime {
 public:
  /// `where` names the template in errors and outlives this; `now` is what strftime_now formats.
  Runtime(std::string_view where, const Limits& limits, const std::tm& now)
      : limits(limits), now(now), where_(where) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const Limits& limits;
  const std::tm now;
  int line = 1;

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    hone::fail(ErrorKind::data, "{}: line {}: {}", where_, line, fmt::format(format, std::forward<Args>(args)...));
  }

  /// Counts work against the limit of steps.
  void spend(std::int64_t steps) {
    steps_ += steps;
    if (steps_ > limits.steps) {
      fail("the template needs more than {} steps to render; does it loop for ever?", limits.steps);
    }
  }
  /// The work of passing over that many bytes.
  void spend_bytes(std::size_t bytes) { spend(1 + static_cast<std::int64_t>(bytes / 64)); }

  void enter() {
    if (++depth_ > limits.depth) {
      fail("expressions, blocks or macro calls are nested deeper than {} levels while rendering", limits.depth);
    }
  }
  void leave() { --depth_; }

  /// Uninitialised items that live until the rendering ends.
  template <class T>
  T* array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > limits.memory_bytes / sizeof(T)) out_of_memory();
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }
  template <class T, class... Args>
  T* make(Args&&... args) {
    return new (array<T>(1)) T{std::forward<Args>(args)...};
  }

  void check_string_size(std::size_t bytes) const {
    if (bytes > limits.output_bytes) fail("a text grows beyond {} bytes", limits.output_bytes);
  }

 private:
  void* allocate(std::size_t bytes, std::size_t alignment);
  [[noreturn]] void out_of_memory() const;

  std::string_view where_;
  std::int64_t steps_ = 0;
  int depth_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t allocated_ = 0;
};

/// One level of nesting while it lives.
class Nested {
 public:
  explicit Nested(Runtime& runtime) : runtime_(runtime) { runtime_.enter(); }
  ~Nested() { runtime_.leave(); }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

 private:
  Runtime& runtime_;
};

}  // namespace hone::jinja
