#include "engine/engine.h"

#include <algorithm>

#include "base/error.h"
#include "engine/beam_decoding.h"
#include "engine/generation.h"
#include "engine/paged_forward.h"

namespace hone {

Engine::Engine(Model& model, const Tokenizer& tokenizer, const EngineConfig& config)
    : model_(model), tokenizer_(tokenizer), config_(config) {
  const PolicyShape& shape = model.policy->shape();
  if (shape.kind == PolicyKind::encoder || !model.policy->lm_head().defined()) {
    fail(ErrorKind::config, "this model generates no text: {}",
         shape.kind == PolicyKind::encoder ? "it is an encoder" : "it has no language-model head");
  }
  if (tokenizer.vocab_size() > shape.vocabulary) {
    fail(ErrorKind::config, "the tokenizer has {} ids but the model's vocabulary is {}", tokenizer.vocab_size(),
         shape.vocabulary);
  }
}

std::vector<Completion> Engine::generate(std::span<const Request> requests, const SamplingConfig& sampling,
                                         const OnToken& on_token, const OnFinish& on_finish) {
  if (requests.empty()) return {};
  const std::vector<Request> started = with_start(requests);
  if (!started.empty()) requests = started;
  for (const Request& request : requests) check(request);
  const std::int64_t slots =
      reserve(std::min(config_.slots, static_cast<std::int64_t>(requests.size())), 1, footprint(requests, sampling));
  return Generation(*this, requests, sampling, slots, on_token, on_finish).run();
}

std::vector<std::vector<BeamText>> Engine::beam_search(std::span<const Request> requests, const BeamSettings& beams,
                                                       const SamplingConfig& sampling) {
  if (requests.empty()) return {};
  if (!sampling.stop.empty()) {
    fail(ErrorKind::config, "beam search has no stop texts; set stop to nothing, or the number of beams to 1");
  }
  BeamSettings settings = beams;
  settings.eos = ends(sampling);
  settings.max_new_tokens = sampling.max_tokens;
  BeamSearch{settings};  // refuses what contradicts itself
  const std::vector<Request> started = with_start(requests);
  if (!started.empty()) requests = started;
  for (const Request& request : requests) check(request);
  const auto count = static_cast<std::int64_t>(requests.size());
  const std::int64_t wanted = std::min(count, std::max<std::int64_t>(1, config_.slots / settings.num_beams));
  const auto at_once = static_cast<std::size_t>(reserve(wanted, settings.num_beams, footprint(requests, sampling)));
  std::vector<std::vector<BeamText>> texts;
  for (std::size_t first = 0; first < requests.size(); first += at_once) {
    const auto some = requests.subspan(first, std::min(at_once, requests.size() - first));
    for (auto& found : BeamDecoding(*this, some, settings, sampling).run()) texts.push_back(std::move(found));
  }
  return texts;
}

std::vector<std::int32_t> Engine::ends(const SamplingConfig& sampling) const {
  std::vector<std::int32_t> ids;
  if (tokenizer_.eos_id()) ids.push_back(*tokenizer_.eos_id());
  for (const std::int64_t id : sampling.eos_ids) {
    const std::int64_t vocabulary = model_.policy->shape().vocabulary;
    if (id < 0 || id >= vocabulary) {
      fail(ErrorKind::config, "eos_ids names token {}, expected an id from 0 to {}", id, vocabulary - 1);
    }
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

/// The requests with the id that targets begin with; nothing for models without an encoder, which have no such id.
std::vector<Request> Engine::with_start(std::span<const Request> requests) const {
  if (!encodes()) return {};
  std::vector<Request> started(requests.begin(), requests.end());
  for (Request& request : started) {
    request.context.insert(request.context.begin(), model_.policy->shape().decoder_start);
  }
  return started;
}

void Engine::check(const Request& request) const {
  HONE_ASSERT(!request.context.empty());
  if (encodes() == request.source.empty()) {
    fail(ErrorKind::data, "prompt {} {}", request.prompt_id,
         encodes() ? "has no source text, which this encoder-decoder model reads"
                   : "has a source text, but this model has no encoder: put the text into the prompt");
  }
  const auto length = static_cast<std::int64_t>(request.context.size());
  if (length < context()) return;
  fail(ErrorKind::data, "prompt {} has {} tokens, which leaves no room for a completion in the model's context of {}",
       request.prompt_id, length, context());
}

/// Most tokens that the request's completion can still get; the last one is drawn and never computed.
std::int64_t Engine::room(const Request& request, const SamplingConfig& sampling) const {
  const auto length = static_cast<std::int64_t>(request.context.size());
  const std::int64_t left = model_.policy->shape().reach(length) - length;
  return std::min(sampling.max_tokens - static_cast<std::int64_t>(request.written), std::max<std::int64_t>(1, left));
}

Engine::Footprint Engine::footprint(std::span<const Request> requests, const SamplingConfig& sampling) const {
  Footprint most;
  for (const Request& request : requests) {
    const auto length = static_cast<std::int64_t>(request.context.size());
    most.pages = std::max(most.pages, pages_for(length + room(request, sampling)));
    most.source_pages = std::max(most.source_pages, pages_for(static_cast<std::int64_t>(request.source.size())));
  }
  return most;
}

/// Sizes the caches for as many of `groups` groups of `width` sequences as kv_memory allows, and returns how many.
/// Every sequence can reach its footprint; one may also keep a context's last page apart, and one context may wait half
/// admitted.
std::int64_t Engine::reserve(std::int64_t groups, std::int64_t width, const Footprint& each) {
  const PolicyShape& shape = model_.policy->shape();
  const std::int64_t page_bytes = KvCache::page_bytes(shape.layers, shape.attention);
  const std::int64_t of_group = width * (each.pages + 1 + each.source_pages);
  const std::int64_t waiting = each.pages + each.source_pages;
  groups = std::min(groups, (config_.kv_memory.count / page_bytes - waiting) / of_group);
  if (groups < 1) {
    fail(ErrorKind::config,
         "engine.kv_memory of {} bytes cannot hold {}: it needs {} pages of {} bytes; raise kv_memory or lower "
         "max_tokens",
         config_.kv_memory.count, width == 1 ? "one sequence" : fmt::format("{} beams", width), of_group + waiting,
         page_bytes);
  }
  const std::int64_t pages = groups * width * (each.pages + 1) + each.pages;
  if (cache_ == nullptr || cache_->pages() < pages) {
    cache_ = std::make_unique<KvCache>(shape.layers, pages, shape.attention);
  }
  const std::int64_t source_pages = (groups * width + 1) * each.source_pages;
  if (source_pages > 0 && (source_cache_ == nullptr || source_cache_->pages() < source_pages)) {
    source_cache_ = std::make_unique<KvCache>(shape.layers, source_pages, shape.attention);
  }
  return groups;
}

}  // namespace hone
