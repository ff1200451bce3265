#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/paged_forward.h"
#include "engine/stop_text.h"
#include "engine/token_steering.h"
#include "kernels/sample/sample.h"

namespace hone {

/// One call of Engine::generate: the state of its slots.
class Generation {
 public:
  /// The engine's caches have room for `slots` sequences.
  Generation(Engine& engine, std::span<const Request> requests, const SamplingConfig& sampling, std::int64_t slots,
             const Engine::OnToken& on_token, const Engine::OnFinish& on_finish);

  std::vector<Completion> run();

 private:
  /// A context whose keys and values are cached and whose requests wait for slots.
  struct Prefix {
    std::size_t first_request = 0;
    std::size_t requests = 0;  ///< that have not got a slot yet
    PageList pages;
    SourcePages source;
    at::Tensor logits_1V;
  };
  struct Slot {
    std::size_t request = 0;
    PageList pages;
    SourcePages source;
    std::int64_t cached = 0;  ///< tokens whose keys and values are in the pages
    StopText text;
    TokenSteering steering;
    bool finished = false;
  };

  void admit();
  void prefill();
  void encode();
  void start_next_of(Prefix& prefix);
  void decode();
  at::Tensor forward(const PackedRows& rows, LogitRows wanted);
  void draw(const at::Tensor& logits_BV, std::span<Slot*> slots);
  at::Tensor steered(const at::Tensor& logits_BV, std::span<Slot*> slots) const;
  void accept(Slot& slot, const kernels::Sampled& token);
  void finish(Slot& slot, FinishReason reason);
  std::size_t alike_from(std::size_t first) const;

  Engine& engine_;
  std::span<const Request> requests_;
  const SamplingConfig& sampling_;
  const std::size_t most_slots_;
  const Engine::OnToken& on_token_;
  const Engine::OnFinish& on_finish_;
  const std::vector<std::int32_t> ends_;
  const kernels::LogitRules rules_;
  PagedCache cache_;
  std::optional<PagedCache> sources_;  ///< encoder-decoder only
  std::size_t next_request_ = 0;
  std::deque<Prefix> prefixes_;
  std::vector<Slot> slots_;
  std::vector<Completion> completions_;
};

}  // namespace hone
