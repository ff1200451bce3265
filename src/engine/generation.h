#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/stop_text.h"
#include "kernels/sample/sample.h"

namespace hone {

/// One call of Engine::generate: the state of its slots.
class Generation {
 public:
  Generation(Engine& engine, std::span<const Request> requests, const SamplingConfig& sampling,
             const Engine::OnToken& on_token, const Engine::OnFinish& on_finish);

  std::vector<Completion> run();

 private:
  /// A context whose keys and values are cached and whose requests wait for slots.
  struct Prefix {
    std::size_t first_request = 0;
    std::size_t requests = 0;  ///< that have not got a slot yet
    std::vector<std::int32_t> pages;
    at::Tensor logits_1V;
  };
  struct Slot {
    std::size_t request = 0;
    std::vector<std::int32_t> pages;
    std::int64_t cached = 0;  ///< tokens whose keys and values are in the pages
    StopText text;
    bool finished = false;
  };
  struct Rows;  ///< tensors of one forward pass

  void admit();
  void prefill();
  void start_next_of(Prefix& prefix);
  void decode();
  at::Tensor forward(Rows rows, bool last_rows_only);
  void draw(const at::Tensor& logits_BV, std::span<Slot*> slots);
  void accept(Slot& slot, const kernels::Sampled& token);
  void finish(Slot& slot, FinishReason reason);
  void grow(std::vector<std::int32_t>& pages, std::int64_t tokens);
  std::size_t same_context_from(std::size_t first) const;

  Engine& engine_;
  std::span<const Request> requests_;
  const SamplingConfig& sampling_;
  const Engine::OnToken& on_token_;
  const Engine::OnFinish& on_finish_;
  PagePool pool_;
  std::size_t next_request_ = 0;
  std::deque<Prefix> prefixes_;
  std::vector<Slot> slots_;
  std::vector<Completion> completions_;
};

}  // namespace hone
