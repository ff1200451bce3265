#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/fields.h"
#include "engine/request.h"
#include "engine/sampling.h"
#include "flow/types.h"
#include "nn/model.h"
#include "predict/beam_search.h"
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

/// One text that a beam search found.
struct BeamText {
  Completion completion;  ///< without log-probabilities of tokens
  float score = 0;        ///< sum of log-probabilities / length^length_penalty
};

/// Batched generation with a paged KV cache.
///
///     requests ──admit──► prefill a context once ──► a slot for each request ──► decode all slots a token at a time
///        ▲                (neighbours with the same context share its pages)            │ eos, stop text, budget
///        └──────────────────────── the slot takes the next request ◄────────────────────┘
///
/// Encoder-decoder models encode a request's source first; neighbours with the same source and context share those
/// pages too. The engine reads the model's packed weights: an optimizer step is seen by the next token. Threads: one
/// caller at a time. `model` and `tokenizer` must outlive it.
class Engine {
 public:
  /// Error{config} when the model generates nothing or its vocabulary is smaller than the tokenizer's.
  Engine(Model& model, const Tokenizer& tokenizer, const EngineConfig& config);

  /// Called for each token that a request gets, in the order of generation: (request index, id).
  using OnToken = std::function<void(std::size_t request, std::int32_t id)>;

  /// Called when a completion has ended, while others go on; it may move the completion away.
  using OnFinish = std::function<void(std::size_t request, Completion& completion)>;

  /// One completion a request, in order. A constraint ends its completion as soon as nothing may follow. Error{data}
  /// when a context leaves no room for a token, or a request has a source and the model no encoder, or the reverse.
  std::vector<Completion> generate(std::span<const Request> requests, const SamplingConfig& sampling,
                                   const OnToken& on_token = nullptr, const OnFinish& on_finish = nullptr);

  /// The best texts of each request by beam search, best first; at most beams.num_return_sequences. `beams` gets its
  /// end-of-sequence ids and its length limit from `sampling`, whose penalties, biases and bans hold as well; what it
  /// says of drawing does not. Error{config} for stop texts, and for settings that contradict each other.
  std::vector<std::vector<BeamText>> beam_search(std::span<const Request> requests, const BeamSettings& beams,
                                                 const SamplingConfig& sampling);

  /// All ids that end a completion: the tokenizer's end of sequence and sampling.eos_ids. What constraints must be made
  /// with. Error{config} for an id outside the model's vocabulary.
  std::vector<std::int32_t> ends(const SamplingConfig& sampling) const;
  /// Whether the model has an encoder: requests then have a source.
  bool encodes() const { return model_.policy->shape().kind == PolicyKind::encoder_decoder; }
  /// Longest sequence of the model, in tokens.
  std::int64_t context() const { return model_.policy->shape().context; }
  /// Tokens sampled and tokens of prompts and sources computed since construction.
  std::int64_t sampled_tokens() const { return sampled_tokens_; }
  std::int64_t prefilled_tokens() const { return prefilled_tokens_; }

 private:
  friend class Generation;
  friend class BeamDecoding;
  /// Pages that one sequence may come to need.
  struct Footprint {
    std::int64_t pages = 0;
    std::int64_t source_pages = 0;
  };
  std::vector<Request> with_start(std::span<const Request> requests) const;
  void check(const Request& request) const;
  Footprint footprint(std::span<const Request> requests, const SamplingConfig& sampling) const;
  std::int64_t room(const Request& request, const SamplingConfig& sampling) const;
  std::int64_t reserve(std::int64_t groups, std::int64_t width, const Footprint& each);

  Model& model_;
  const Tokenizer& tokenizer_;
  EngineConfig config_;
  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<KvCache> source_cache_;  ///< encoder-decoder only
  std::int64_t sampled_tokens_ = 0;
  std::int64_t prefilled_tokens_ = 0;
};

}  // namespace hone
