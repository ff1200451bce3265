#include "engine/generation.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "base/stop.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::int64_t prefill_tokens = 4096;  // computed at once; bounds the activations of a prefill

std::int64_t pages_for(std::int64_t tokens) { return (tokens + kernels::kv_page - 1) / kernels::kv_page; }

at::Tensor int_tensor(const std::vector<std::int32_t>& values) {
  return at::tensor(at::ArrayRef<std::int32_t>(values), at::kInt);
}

}  // namespace

struct Generation::Rows {
  std::vector<std::int32_t> ids, positions, start = {0}, past;
  std::vector<const std::vector<std::int32_t>*> pages;

  void add(std::span<const std::int32_t> new_ids, std::int64_t cached, const std::vector<std::int32_t>& page_list) {
    ids.insert(ids.end(), new_ids.begin(), new_ids.end());
    for (std::size_t i = 0; i < new_ids.size(); ++i) positions.push_back(static_cast<std::int32_t>(cached) + static_cast<std::int32_t>(i));
    start.push_back(static_cast<std::int32_t>(ids.size()));
    past.push_back(static_cast<std::int32_t>(cached));
    pages.push_back(&page_list);
  }

  kernels::AttentionPlan plan() const {
    std::size_t widest = 0;
    for (const auto* list : pages) widest = std::max(widest, list->size());
    at::Tensor table = at::zeros({static_cast<std::int64_t>(pages.size()), static_cast<std::int64_t>(widest)}, at::kInt);
    std::int32_t* row = table.data_ptr<std::int32_t>();
    for (const auto* list : pages) {
      std::copy(list->begin(), list->end(), row);
      row += widest;
    }
    kernels::AttentionPlan plan;
    plan.start_S1 = int_tensor(start);
    plan.position_T = int_tensor(positions);
    plan.past_S = int_tensor(past);
    plan.page_SN = table;
    return plan;
  }
};

Generation::Generation(Engine& engine, std::span<const Request> requests, const SamplingConfig& sampling,
                       const Engine::OnToken& on_token, const Engine::OnFinish& on_finish)
    : engine_(engine),
      requests_(requests),
      sampling_(sampling),
      on_token_(on_token),
      on_finish_(on_finish),
      pool_(engine.cache_->pages()),
      completions_(requests.size()) {
  slots_.reserve(static_cast<std::size_t>(engine.slots_));
}

std::vector<Completion> Generation::run() {
  const at::NoGradGuard no_grad;
  for (;;) {
    admit();
    if (slots_.empty()) break;
    throw_if_stopped();  // a generation changes nothing: it can be drawn again
    decode();
  }
  return std::move(completions_);
}

void Generation::admit() {
  while (static_cast<std::int64_t>(slots_.size()) < engine_.slots_) {
    if (prefixes_.empty()) {
      if (next_request_ == requests_.size()) return;
      prefill();
    }
    start_next_of(prefixes_.front());
    if (prefixes_.front().requests == 0) prefixes_.pop_front();
  }
}

std::size_t Generation::same_context_from(std::size_t first) const {
  std::size_t last = first + 1;
  while (last < requests_.size() && requests_[last].context == requests_[first].context) ++last;
  return last - first;
}

/// Computes the contexts of the next requests, as many as there are free slots.
void Generation::prefill() {
  std::int64_t free_slots = engine_.slots_ - static_cast<std::int64_t>(slots_.size());
  std::int64_t tokens = 0;
  Rows rows;
  while (free_slots > 0 && next_request_ < requests_.size()) {
    const std::vector<std::int32_t>& context = requests_[next_request_].context;
    const auto length = static_cast<std::int64_t>(context.size());
    if (tokens > 0 && tokens + length > prefill_tokens) break;
    Prefix& prefix = prefixes_.emplace_back();
    prefix.first_request = next_request_;
    prefix.requests = same_context_from(next_request_);
    grow(prefix.pages, length);
    next_request_ += prefix.requests;
    free_slots -= static_cast<std::int64_t>(prefix.requests);
    tokens += length;
  }
  for (const Prefix& prefix : prefixes_) rows.add(requests_[prefix.first_request].context, 0, prefix.pages);
  const at::Tensor logits_PV = forward(std::move(rows), true);
  for (std::size_t i = 0; i < prefixes_.size(); ++i) {
    prefixes_[i].logits_1V = logits_PV.narrow(0, static_cast<std::int64_t>(i), 1);
  }
  engine_.prefilled_tokens_ += tokens;
}

/// Gives the prefix's next request a slot and its first token. Full pages are shared; the last one, which the
/// completion will write into, is copied, or handed over to the last request.
void Generation::start_next_of(Prefix& prefix) {
  const Request& request = requests_[prefix.first_request];
  const auto length = static_cast<std::int64_t>(request.context.size());
  const auto full_pages = static_cast<std::size_t>(length / kernels::kv_page);
  const bool last = prefix.requests == 1;
  Slot slot{.request = prefix.first_request, .pages = prefix.pages, .cached = length, .text = StopText(sampling_.stop)};
  if (!last) {
    for (std::size_t i = 0; i < full_pages; ++i) pool_.share(slot.pages[i]);
    if (full_pages < slot.pages.size()) {
      slot.pages[full_pages] = pool_.take();
      engine_.cache_->copy_page(prefix.pages[full_pages], slot.pages[full_pages]);
    }
  }
  ++prefix.first_request;
  --prefix.requests;
  slots_.push_back(std::move(slot));
  Slot* started = &slots_.back();
  draw(prefix.logits_1V, std::span<Slot*>(&started, 1));
}

void Generation::decode() {
  Rows rows;
  std::vector<Slot*> drawn;
  for (Slot& slot : slots_) {
    grow(slot.pages, slot.cached + 1);
    const std::int32_t last_id = completions_[slot.request].ids.back();
    rows.add(std::span<const std::int32_t>(&last_id, 1), slot.cached, slot.pages);
    ++slot.cached;
    drawn.push_back(&slot);
  }
  draw(forward(std::move(rows), false), drawn);
}

/// Logits after each row, or after the last row of each sequence.
at::Tensor Generation::forward(Rows rows, bool last_rows_only) {
  Model& model = engine_.model_;
  const kernels::AttentionPlan plan = rows.plan();
  at::Tensor hidden = model.policy->hidden(int_tensor(rows.ids), {.plan = &plan, .cache = engine_.cache_.get()});
  if (last_rows_only) {
    const at::Tensor last = plan.start_S1.narrow(0, 1, plan.sequences()) - 1;
    hidden = at::index_select(hidden, 0, last);
  }
  return model.policy->lm_head().logits(hidden);
}

void Generation::draw(const at::Tensor& logits_BV, std::span<Slot*> slots) {
  const std::vector<kernels::SampleRule> rules(slots.size(), sampling_.rule());
  std::vector<double> uniforms(slots.size());
  std::vector<kernels::Sampled> tokens(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Request& request = requests_[slots[i]->request];
    const std::size_t position = request.first_position + completions_[slots[i]->request].ids.size();
    uniforms[i] = uniform_at(request.key, request.prompt_id, request.sample, static_cast<std::uint32_t>(position));
  }
  kernels::sample(logits_BV, rules, uniforms, tokens);
  for (std::size_t i = 0; i < slots.size(); ++i) accept(*slots[i], tokens[i]);
  engine_.sampled_tokens_ += static_cast<std::int64_t>(slots.size());
  std::erase_if(slots_, [](const Slot& slot) { return slot.finished; });
}

void Generation::accept(Slot& slot, const kernels::Sampled& token) {
  Completion& completion = completions_[slot.request];
  completion.ids.push_back(token.id);
  completion.logprob.push_back(token.logprob);
  if (sampling_.rule().truncates()) completion.sampler_logprob.push_back(token.sampler_logprob);
  completion.version.push_back(engine_.model_.store.version());
  if (on_token_) on_token_(slot.request, token.id);
  const Tokenizer& tokenizer = engine_.tokenizer_;
  const bool stop_text = !tokenizer.is_special(token.id) && slot.text.append(tokenizer.id_to_bytes(token.id));
  if (stop_text || token.id == tokenizer.eos_id()) {
    finish(slot, FinishReason::stop);
    return;
  }
  const bool budget_spent = static_cast<std::int64_t>(completion.ids.size()) == sampling_.max_tokens;
  const bool context_full = slot.cached + 1 >= engine_.model_.policy->shape().reach(
      static_cast<std::int64_t>(requests_[slot.request].context.size()));
  if (budget_spent || context_full) finish(slot, FinishReason::length);
}

void Generation::finish(Slot& slot, FinishReason reason) {
  Completion& completion = completions_[slot.request];
  completion.text = valid_utf8(slot.text.text());
  completion.finish = reason;
  slot.finished = true;
  for (const std::int32_t page : slot.pages) pool_.release(page);
  if (on_finish_) on_finish_(slot.request, completion);
}

void Generation::grow(std::vector<std::int32_t>& pages, std::int64_t tokens) {
  while (static_cast<std::int64_t>(pages.size()) < pages_for(tokens)) pages.push_back(pool_.take());
}

}  // namespace hone
