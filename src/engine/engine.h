#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "engine/page_pool.h"
#include "engine/sampling.h"
#include "flow/types.h"
#include "nn/model.h"
#include "text/tokenizer.h"

namespace hone {

struct EngineConfig {
  std::int64_t slots = 128;
  Bytes kv_memory{1LL << 30};

  void describe(Fields& f) {
    f.field("slots", slots, "Sequences generated at the same time.", at_least(1));
    f.field("kv_memory", kv_memory, "Most memory for cached keys and values; lowers the number of slots.", at_least(1));
  }
};

/// One completion to generate. Its random numbers are addressed by (key, prompt_id, sample, position) alone, so it does
/// not depend on what else is in the batch.
struct Request {
  std::vector<std::int32_t> context;  ///< ids that the completion continues; never empty
  std::uint64_t key = 0;              ///< stream of the run, the purpose and the visit
  std::uint64_t prompt_id = 0;
  std::uint32_t sample = 0;
  std::uint32_t first_position = 0;  ///< tokens already drawn for this episode in earlier turns
};

/// Batched generation with a paged KV cache.
///
///     requests ──admit──► prefill a context once ──► a slot for each request ──► decode all slots a token at a time
///        ▲                (neighbours with the same context share its pages)            │ eos, stop text, budget
///        └──────────────────────── the slot takes the next request ◄────────────────────┘
///
/// It reads the model's packed weights: an optimizer step is seen by the next token. Threads: one caller at a time.
/// `model` and `tokenizer` must outlive it.
class Engine {
 public:
  Engine(Model& model, const Tokenizer& tokenizer, const EngineConfig& config);

  /// Called for each token that a request gets, in the order of generation: (request index, id).
  using OnToken = std::function<void(std::size_t request, std::int32_t id)>;

  /// Called when a completion has ended, while others go on; it may move the completion away.
  using OnFinish = std::function<void(std::size_t request, Completion& completion)>;

  /// One completion a request, in order. Error{data} when a context leaves no room for a token.
  std::vector<Completion> generate(std::span<const Request> requests, const SamplingConfig& sampling,
                                   const OnToken& on_token = nullptr, const OnFinish& on_finish = nullptr);

  /// Longest sequence of the model, in tokens.
  std::int64_t context() const { return model_.policy->shape().context; }
  /// Tokens sampled and prompt tokens computed since construction.
  std::int64_t sampled_tokens() const { return sampled_tokens_; }
  std::int64_t prefilled_tokens() const { return prefilled_tokens_; }

 private:
  friend class Generation;
  void reserve(std::int64_t pages_each, std::int64_t sequences);

  Model& model_;
  const Tokenizer& tokenizer_;
  EngineConfig config_;
  std::int64_t slots_ = 0;  ///< what kv_memory leaves of config.slots
  std::unique_ptr<KvCache> cache_;
  std::int64_t sampled_tokens_ = 0;
  std::int64_t prefilled_tokens_ = 0;
};

}  // namespace hone
