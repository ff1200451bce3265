#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention/attention.h"

namespace hone {

/// Keys and values of every layer, in pages that all layers number alike.
class KvCache {
 public:
  KvCache(std::int64_t layers, std::int64_t pages, const kernels::AttentionShape& shape) : pages_(pages) {
    for (std::int64_t i = 0; i < layers; ++i) layers_.push_back(kernels::make_kv_pages(pages, shape));
  }

  std::int64_t pages() const { return pages_; }
  kernels::KvPages& layer(std::int64_t index) { return layers_[static_cast<std::size_t>(index)]; }
  void copy_page(std::int64_t from, std::int64_t to) {
    for (kernels::KvPages& layer : layers_) kernels::copy_kv_page(layer, from, to);
  }
  static std::int64_t page_bytes(std::int64_t layers, const kernels::AttentionShape& shape) {
    return 2 * layers * shape.kv_heads * shape.head_dim * kernels::kv_page * static_cast<std::int64_t>(sizeof(float));
  }

 private:
  std::int64_t pages_;
  std::vector<kernels::KvPages> layers_;
};

}  // namespace hone
