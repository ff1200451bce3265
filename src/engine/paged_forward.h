#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>
#include <vector>

#include "engine/page_pool.h"
#include "nn/model.h"

namespace hone {

using PageList = std::vector<std::int32_t>;

/// Pages that hold so many tokens.
inline std::int64_t pages_for(std::int64_t tokens) { return (tokens + kernels::kv_page - 1) / kernels::kv_page; }

/// A cache and who uses which of its pages. A page that several sequences use is never written into.
class PagedCache {
 public:
  explicit PagedCache(KvCache& cache) : cache_(&cache), pool_(cache.pages()) {}

  KvCache& cache() const { return *cache_; }
  /// One more user of each.
  void share(const PageList& pages);
  /// One user less; the list is empty afterwards.
  void release(PageList& pages);
  /// Makes room for `more` tokens behind the `cached` ones, in pages that nobody else uses.
  void extend(PageList& pages, std::int64_t cached, std::int64_t more);
  /// Whether every page was given back.
  bool idle() const { return pool_.free() == pool_.pages(); }

 private:
  KvCache* cache_;
  PagePool pool_;
};

/// The encoder's side of one sequence: what its decoder reads, in pages of a cache of their own. A model without an
/// encoder has none.
struct SourcePages {
  PageList pages;
  std::int64_t length = 0;
};

/// The next tokens of several sequences, packed for one forward pass.
class PackedRows {
 public:
  /// `ids` follow `cached` tokens. The lists must stay where they are until the pass is over.
  void add(std::span<const std::int32_t> ids, std::int64_t cached, const PageList& pages, const SourcePages& source);

  at::Tensor ids() const;
  kernels::AttentionPlan plan() const;
  kernels::AttentionPlan source_plan() const;

 private:
  std::vector<std::int32_t> ids_, positions_, start_{0}, past_, source_length_;
  std::vector<const PageList*> pages_, source_pages_;
};

/// Which of the packed rows logits are wanted of.
enum class LogitRows { all, last_of_each };

/// Logits behind the rows; their keys and values are in `cache` afterwards. `sources`: encoder-decoder models only.
at::Tensor paged_logits(Model& model, const PackedRows& rows, KvCache& cache, KvCache* sources, LogitRows wanted);

/// Encodes several sources in one pass. `places` get pages of `cache`, one an entry of `sources`.
void encode_sources(Model& model, std::span<const std::span<const std::int32_t>> sources,
                    std::span<SourcePages* const> places, PagedCache& cache);

}  // namespace hone
