#include "engine/engine.h"

#include <algorithm>

#include "base/error.h"
#include "engine/generation.h"

namespace hone {

Engine::Engine(Model& model, const Tokenizer& tokenizer, const EngineConfig& config)
    : model_(model), tokenizer_(tokenizer), config_(config) {
  if (tokenizer.vocab_size() > model.policy->shape().vocabulary) {
    fail(ErrorKind::config, "the tokenizer has {} ids but the model's vocabulary is {}", tokenizer.vocab_size(),
         model.policy->shape().vocabulary);
  }
}

std::vector<Completion> Engine::generate(std::span<const Request> requests, const SamplingConfig& sampling,
                                         const OnToken& on_token, const OnFinish& on_finish) {
  if (requests.empty()) return {};
  const PolicyShape& shape = model_.policy->shape();
  std::int64_t longest = 0;
  for (const Request& request : requests) {
    const auto length = static_cast<std::int64_t>(request.context.size());
    HONE_ASSERT(length > 0);
    if (length >= shape.context) {
      fail(ErrorKind::data,
           "prompt {} has {} tokens, which leaves no room for a completion in the model's context of {}",
           request.prompt_id, length, shape.context);
    }
    longest = std::max(longest, std::min(shape.context, length + sampling.max_tokens));
  }
  reserve((longest + kernels::kv_page - 1) / kernels::kv_page, static_cast<std::int64_t>(requests.size()));
  return Generation(*this, requests, sampling, on_token, on_finish).run();
}

/// Sizes the cache so that every slot can reach `pages_each` pages: a slot also keeps a prefix's last page apart, and one
/// prefix may wait half admitted.
void Engine::reserve(std::int64_t pages_each, std::int64_t sequences) {
  const PolicyShape& shape = model_.policy->shape();
  const std::int64_t page_bytes = KvCache::page_bytes(shape.layers, shape.attention);
  const std::int64_t affordable = config_.kv_memory.count / page_bytes - pages_each;
  slots_ = std::min({config_.slots, sequences, affordable / (pages_each + 1)});
  if (slots_ < 1) {
    fail(ErrorKind::config,
         "engine.kv_memory of {} bytes cannot hold one sequence: it needs {} pages of {} bytes; raise kv_memory or lower "
         "max_tokens",
         config_.kv_memory.count, 2 * pages_each + 1, page_bytes);
  }
  const std::int64_t pages = slots_ * (pages_each + 1) + pages_each;
  if (cache_ == nullptr || cache_->pages() < pages) {
    cache_ = std::make_unique<KvCache>(shape.layers, pages, shape.attention);
  }
}

}  // namespace hone
