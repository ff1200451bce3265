#include "engine/paged_forward.h"

#include <algorithm>

namespace hone {

namespace {

at::Tensor int_tensor(const std::vector<std::int32_t>& values) {
  return at::tensor(at::ArrayRef<std::int32_t>(values), at::kInt);
}

/// The lists as rows of one table, filled up with zeros.
at::Tensor page_table(std::span<const PageList* const> lists) {
  std::size_t widest = 0;
  for (const PageList* list : lists) widest = std::max(widest, list->size());
  at::Tensor table = at::zeros({static_cast<std::int64_t>(lists.size()), static_cast<std::int64_t>(widest)}, at::kInt);
  std::int32_t* row = table.data_ptr<std::int32_t>();
  for (const PageList* list : lists) {
    std::copy(list->begin(), list->end(), row);
    row += widest;
  }
  return table;
}

}  // namespace

void PagedCache::share(const PageList& pages) {
  for (const std::int32_t page : pages) pool_.share(page);
}

void PagedCache::release(PageList& pages) {
  for (const std::int32_t page : pages) pool_.release(page);
  pages.clear();
}

void PagedCache::extend(PageList& pages, std::int64_t cached, std::int64_t more) {
  const auto next = static_cast<std::size_t>(cached / kernels::kv_page);
  if (next < pages.size() && pool_.users(pages[next]) > 1) {
    const std::int32_t own = pool_.take();
    cache_->copy_page(pages[next], own);
    pool_.release(pages[next]);
    pages[next] = own;
  }
  while (static_cast<std::int64_t>(pages.size()) < pages_for(cached + more)) pages.push_back(pool_.take());
}

void PackedRows::add(std::span<const std::int32_t> ids, std::int64_t cached, const PageList& pages,
                     const SourcePages& source) {
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    positions_.push_back(static_cast<std::int32_t>(cached) + static_cast<std::int32_t>(i));
  }
  start_.push_back(static_cast<std::int32_t>(ids_.size()));
  past_.push_back(static_cast<std::int32_t>(cached));
  pages_.push_back(&pages);
  source_pages_.push_back(&source.pages);
  source_length_.push_back(static_cast<std::int32_t>(source.length));
}

at::Tensor PackedRows::ids() const { return int_tensor(ids_); }

kernels::AttentionPlan PackedRows::plan() const {
  kernels::AttentionPlan plan;
  plan.start_S1 = int_tensor(start_);
  plan.position_T = int_tensor(positions_);
  plan.past_S = int_tensor(past_);
  plan.page_SN = page_table(pages_);
  return plan;
}

kernels::AttentionPlan PackedRows::source_plan() const {
  kernels::AttentionPlan plan;
  plan.start_S1 = int_tensor(start_);
  plan.key_length_S = int_tensor(source_length_);
  plan.page_SN = page_table(source_pages_);
  return plan;
}

at::Tensor paged_logits(Model& model, const PackedRows& rows, KvCache& cache, KvCache* sources, LogitRows wanted) {
  const kernels::AttentionPlan plan = rows.plan();
  Forward forward{.plan = &plan, .cache = &cache};
  kernels::AttentionPlan source_plan;
  SourceSide source;
  if (sources != nullptr) {
    source_plan = rows.source_plan();
    source = {.encoded_UD = {}, .plan = &source_plan, .cache = sources};
    forward.source = &source;
  }
  at::Tensor hidden = model.policy->hidden(rows.ids(), forward);
  if (wanted == LogitRows::last_of_each) {
    const at::Tensor last = plan.start_S1.narrow(0, 1, plan.sequences()) - 1;
    hidden = at::index_select(hidden, 0, last);
  }
  return model.policy->lm_head().logits(hidden);
}

void encode_sources(Model& model, std::span<const std::span<const std::int32_t>> sources,
                    std::span<SourcePages* const> places, PagedCache& cache) {
  std::vector<std::int32_t> ids, positions, start{0};
  std::vector<const PageList*> lists;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    ids.insert(ids.end(), sources[i].begin(), sources[i].end());
    for (std::size_t t = 0; t < sources[i].size(); ++t) positions.push_back(static_cast<std::int32_t>(t));
    start.push_back(static_cast<std::int32_t>(ids.size()));
    places[i]->length = static_cast<std::int64_t>(sources[i].size());
    cache.extend(places[i]->pages, 0, places[i]->length);
    lists.push_back(&places[i]->pages);
  }
  const kernels::AttentionPlan reading = packed_plan(int_tensor(start), int_tensor(positions));
  const at::Tensor encoded_UD = model.policy->encode(int_tensor(ids), {.plan = &reading});
  kernels::AttentionPlan storing;
  storing.key_start_S1 = reading.start_S1;
  storing.page_SN = page_table(lists);
  model.policy->store_source({.encoded_UD = encoded_UD, .plan = &storing, .cache = &cache.cache()});
}

}  // namespace hone
