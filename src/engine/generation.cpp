#include "engine/generation.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr std::int64_t prefill_tokens = 4096;  // computed at once; bounds the activations of a prefill

}  // namespace

Generation::Generation(Engine& engine, std::span<const Request> requests, const SamplingConfig& sampling,
                       std::int64_t slots, const Engine::OnToken& on_token, const Engine::OnFinish& on_finish)
    : engine_(engine),
      requests_(requests),
      sampling_(sampling),
      most_slots_(static_cast<std::size_t>(slots)),
      on_token_(on_token),
      on_finish_(on_finish),
      ends_(engine.ends(sampling)),
      rules_(sampling.logit_rules(engine.model_.policy->shape().vocabulary, ends_)),
      cache_(*engine.cache_),
      completions_(requests.size()) {
  if (engine.encodes()) sources_.emplace(*engine.source_cache_);
  slots_.reserve(most_slots_);
}

std::vector<Completion> Generation::run() {
  const at::NoGradGuard no_grad;
  for (;;) {
    admit();
    if (slots_.empty()) break;
    throw_if_stopped();  // a generation changes nothing: it can be drawn again
    decode();
  }
  HONE_ASSERT(cache_.idle() && (!sources_ || sources_->idle()));
  return std::move(completions_);
}

void Generation::admit() {
  while (slots_.size() < most_slots_) {
    if (prefixes_.empty()) {
      if (next_request_ == requests_.size()) return;
      prefill();
    }
    start_next_of(prefixes_.front());
    if (prefixes_.front().requests == 0) prefixes_.pop_front();
  }
}

/// How many requests from `first` on have its context and source.
std::size_t Generation::alike_from(std::size_t first) const {
  std::size_t last = first + 1;
  while (last < requests_.size() && requests_[last].context == requests_[first].context &&
         requests_[last].source == requests_[first].source) {
    ++last;
  }
  return last - first;
}

/// Computes the contexts (and sources) of the next requests, as many as there are free slots.
void Generation::prefill() {
  std::size_t free_slots = most_slots_ - slots_.size();
  std::int64_t tokens = 0;
  while (free_slots > 0 && next_request_ < requests_.size()) {
    const Request& request = requests_[next_request_];
    const auto length = static_cast<std::int64_t>(request.context.size() + request.source.size());
    if (tokens > 0 && tokens + length > prefill_tokens) break;
    Prefix& prefix = prefixes_.emplace_back();
    prefix.first_request = next_request_;
    prefix.requests = alike_from(next_request_);
    cache_.extend(prefix.pages, 0, static_cast<std::int64_t>(request.context.size()));
    next_request_ += prefix.requests;
    free_slots -= std::min(free_slots, prefix.requests);
    tokens += length;
  }
  if (sources_) encode();
  PackedRows rows;
  for (const Prefix& prefix : prefixes_) {
    rows.add(requests_[prefix.first_request].context, 0, prefix.pages, prefix.source);
  }
  const at::Tensor logits_PV = forward(rows, LogitRows::last_of_each);
  for (std::size_t i = 0; i < prefixes_.size(); ++i) {
    prefixes_[i].logits_1V = logits_PV.narrow(0, static_cast<std::int64_t>(i), 1);
  }
  engine_.prefilled_tokens_ += tokens;
}

void Generation::encode() {
  std::vector<std::span<const std::int32_t>> sources;
  std::vector<SourcePages*> places;
  for (Prefix& prefix : prefixes_) {
    sources.push_back(requests_[prefix.first_request].source);
    places.push_back(&prefix.source);
  }
  encode_sources(engine_.model_, sources, places, *sources_);
}

/// Gives the prefix's next request a slot and its first token. All pages are shared until the completion writes into
/// the last one.
void Generation::start_next_of(Prefix& prefix) {
  const Request& request = requests_[prefix.first_request];
  Slot slot{.request = prefix.first_request,
            .pages = prefix.pages,
            .source = prefix.source,
            .cached = static_cast<std::int64_t>(request.context.size()),
            .text = StopText(sampling_.stop),
            .steering = TokenSteering(rules_, request)};
  if (prefix.requests > 1) {  // the last one takes over those of the prefix
    cache_.share(slot.pages);
    if (sources_) sources_->share(slot.source.pages);
  }
  ++prefix.first_request;
  --prefix.requests;
  for (const std::int32_t id : std::span(request.context).last(request.written)) {
    slot.steering.accept(id);
    if (!engine_.tokenizer_.is_special(id)) slot.text.append(engine_.tokenizer_.id_to_bytes(id));
  }
  slots_.push_back(std::move(slot));
  Slot* started = &slots_.back();
  if (started->steering.complete()) {  // the constraint is met by no text at all, and by none else
    finish(*started, FinishReason::stop);
    slots_.pop_back();
  } else {
    draw(prefix.logits_1V, std::span<Slot*>(&started, 1));
  }
}

void Generation::decode() {
  PackedRows rows;
  std::vector<Slot*> drawn;
  for (Slot& slot : slots_) {
    cache_.extend(slot.pages, slot.cached, 1);
    const std::int32_t last_id = completions_[slot.request].ids.back();
    rows.add(std::span<const std::int32_t>(&last_id, 1), slot.cached, slot.pages, slot.source);
    ++slot.cached;
    drawn.push_back(&slot);
  }
  draw(forward(rows, LogitRows::all), drawn);
}

at::Tensor Generation::forward(const PackedRows& rows, LogitRows wanted) {
  return paged_logits(engine_.model_, rows, cache_.cache(), sources_ ? &sources_->cache() : nullptr, wanted);
}

/// The logits that tokens are drawn from: the model's own where no rule and no constraint says otherwise.
at::Tensor Generation::steered(const at::Tensor& logits_BV, std::span<Slot*> slots) const {
  if (std::ranges::none_of(slots, [](const Slot* slot) { return slot->steering.active(); })) return logits_BV;
  at::Tensor changed_BV = logits_BV.clone();
  float* rows = changed_BV.data_ptr<float>();
  const auto width = static_cast<std::size_t>(changed_BV.size(1));
  parallel_for(changed_BV.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      slots[i]->steering.apply(std::span<float>(rows + i * width, width));
    }
  });
  return changed_BV;
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
  kernels::sample(steered(logits_BV, slots), rules, uniforms, tokens);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i]->steering.active()) {
      const float* row = logits_BV.const_data_ptr<float>() + static_cast<std::int64_t>(i) * logits_BV.size(1);
      tokens[i].logprob = kernels::token_logprob(row, logits_BV.size(1), tokens[i].id, rules[i].temperature);
    }
    accept(*slots[i], tokens[i]);
  }
  engine_.sampled_tokens_ += static_cast<std::int64_t>(slots.size());
  std::erase_if(slots_, [](const Slot& slot) { return slot.finished; });
}

void Generation::accept(Slot& slot, const kernels::Sampled& token) {
  Completion& completion = completions_[slot.request];
  completion.ids.push_back(token.id);
  completion.logprob.push_back(token.logprob);
  const bool reshaped = sampling_.reshapes() || (sampling_.temperature > 0 && slot.steering.active());
  if (reshaped) completion.sampler_logprob.push_back(token.sampler_logprob);
  completion.version.push_back(engine_.model_.store.version());
  slot.steering.accept(token.id);
  if (on_token_) on_token_(slot.request, token.id);
  const Tokenizer& tokenizer = engine_.tokenizer_;
  const bool ends = std::ranges::find(ends_, token.id) != ends_.end();
  const bool stop_text = !ends && !tokenizer.is_special(token.id) && slot.text.append(tokenizer.id_to_bytes(token.id));
  if (ends || stop_text || slot.steering.complete()) {
    finish(slot, FinishReason::stop);
    return;
  }
  const auto drawn = static_cast<std::int64_t>(completion.ids.size());
  const Request& request = requests_[slot.request];
  if (drawn == engine_.room(request, sampling_)) {
    finish(slot, FinishReason::length);
  } else if (drawn == request.budget) {
    finish(slot, FinishReason::abort);
  }
}

void Generation::finish(Slot& slot, FinishReason reason) {
  Completion& completion = completions_[slot.request];
  completion.text = valid_utf8(slot.text.text());
  completion.finish = reason;
  slot.finished = true;
  cache_.release(slot.pages);
  if (sources_) sources_->release(slot.source.pages);
  if (on_finish_) on_finish_(slot.request, completion);
}

}  // namespace hone
