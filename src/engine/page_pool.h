#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"

namespace hone {

/// Which pages of a KvCache are in use, and by how many sequences. Freed pages are handed out again, latest first.
class PagePool {
 public:
  explicit PagePool(std::int64_t pages) : users_(static_cast<std::size_t>(pages), 0) {
    for (std::int64_t page = pages - 1; page >= 0; --page) free_.push_back(static_cast<std::int32_t>(page));
  }

  std::int32_t take() {
    HONE_ASSERT(!free_.empty());
    const std::int32_t page = free_.back();
    free_.pop_back();
    users_[static_cast<std::size_t>(page)] = 1;
    return page;
  }
  void share(std::int32_t page) { ++users_[static_cast<std::size_t>(page)]; }
  void release(std::int32_t page) {
    HONE_ASSERT(users_[static_cast<std::size_t>(page)] > 0);
    if (--users_[static_cast<std::size_t>(page)] == 0) free_.push_back(page);
  }
  std::int32_t users(std::int32_t page) const { return users_[static_cast<std::size_t>(page)]; }
  std::int64_t free() const { return static_cast<std::int64_t>(free_.size()); }
  std::int64_t pages() const { return static_cast<std::int64_t>(users_.size()); }

 private:
  std::vector<std::int32_t> users_;
  std::vector<std::int32_t> free_;
};

}  // namespace hone
