#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "nn/layers.h"
#include "policies/llama.h"
#include "support/doctest_torch.h"
#include "support/error_of.h"
#include "text/byte_tokenizer.h"

namespace hone::test {

/// A random model whose distributions are far from uniform, and bytes as tokens.
struct TinyModel {
  explicit TinyModel(kernels::Compute compute = kernels::Compute::float32, std::int64_t context = 96,
                     std::int64_t window = 0, std::int64_t padding_ids = 0) {
    tokenizer = byte_tokenizer();
    LlamaSpec spec;
    spec.vocabulary_size = tokenizer->vocab_size() + padding_ids;
    spec.hidden = 32;
    spec.layers = 2;
    spec.heads = 4;
    spec.kv_heads = 2;
    spec.context = context;
    spec.sliding_window = window;
    spec.init_std = 0.3;
    model = std::make_unique<Model>(spec, HeadPlan{}, compute, true);
    model->store.initialize(5);
    model->store.refresh();
  }

  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Model> model;
};

/// Contexts of `lengths` tokens, each with its own prompt id.
inline std::vector<Request> requests_of(const std::vector<std::size_t>& lengths) {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    Request request{.key = 99, .prompt_id = i};
    for (std::size_t t = 0; t < lengths[i]; ++t) {
      request.context.push_back(static_cast<std::int32_t>(97 + (i * 31 + t * t * 7 + t) % 26));
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

inline std::vector<Completion> generate(TinyModel& tiny, const std::vector<Request>& requests,
                                        const SamplingConfig& sampling, std::int64_t slots = 128) {
  return Engine(*tiny.model, *tiny.tokenizer, {.slots = slots}).generate(requests, sampling);
}

inline bool same(const Completion& a, const Completion& b) {
  return a.ids == b.ids && a.logprob == b.logprob && a.sampler_logprob == b.sampler_logprob && a.text == b.text &&
         a.finish == b.finish;
}

}  // namespace hone::test
