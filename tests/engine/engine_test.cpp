#include "engine/engine.h"

#include <algorithm>
#include <numeric>

#include "engine/tiny_model.h"
#include "kernels/lm_head/lm_head.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Logits after the last of these tokens, from a forward pass over all of them.
at::Tensor full_forward_logits(Model& model, const std::vector<std::int32_t>& ids) {
  const at::NoGradGuard no_grad;
  const auto length = static_cast<std::int64_t>(ids.size());
  const at::Tensor position_T = at::arange(length, at::kInt);
  const at::Tensor start_S1 = at::tensor({std::int32_t{0}, static_cast<std::int32_t>(length)}, at::kInt);
  const kernels::AttentionPlan plan = packed_plan(start_S1, position_T);
  const at::Tensor hidden_TD =
      model.policy->hidden(at::tensor(at::ArrayRef<std::int32_t>(ids), at::kInt), {.plan = &plan});
  return model.policy->lm_head().logits(hidden_TD.narrow(0, length - 1, 1)).squeeze(0);
}

const std::vector<std::size_t> mixed_lengths = {1, 5, 31, 32, 33, 40, 2, 17, 64, 65, 9, 3};

}  // namespace

TEST_CASE("engine: greedy generation with a cache is the argmax of a full forward pass") {
  for (const std::int64_t window : {0, 8}) {
    TinyModel tiny(kernels::Compute::float32, 96, window);
    const std::vector<Request> requests = requests_of({1, 30, 33});
    const std::vector<Completion> completions = generate(tiny, requests, {.temperature = 0, .max_tokens = 12});
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::vector<std::int32_t> ids = requests[i].context;
      for (const std::int32_t id : completions[i].ids) {
        CHECK(id == full_forward_logits(*tiny.model, ids).argmax().item<std::int64_t>());
        ids.push_back(id);
      }
    }
  }
}

TEST_CASE("engine: a sample depends on its address alone, not on neighbours, slots or order") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    TinyModel tiny(compute);
    const SamplingConfig sampling{.max_tokens = 20};
    const std::vector<Request> requests = requests_of(mixed_lengths);
    const std::vector<Completion> all = generate(tiny, requests, sampling);
    for (const std::int64_t slots : {1, 3, 5}) {
      const std::vector<Completion> refilled = generate(tiny, requests, sampling, slots);
      for (std::size_t i = 0; i < all.size(); ++i) CHECK(same(refilled[i], all[i]));
    }
    std::vector<Request> reversed = requests;
    std::reverse(reversed.begin(), reversed.end());
    const std::vector<Completion> backwards = generate(tiny, reversed, sampling);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(same(backwards[all.size() - 1 - i], all[i]));
    for (const std::size_t i : {0UL, 4UL, 9UL}) CHECK(same(generate(tiny, {requests[i]}, sampling)[0], all[i]));
  }
}

TEST_CASE("engine: keys, prompts, samples and positions each draw anew") {
  TinyModel tiny;
  const SamplingConfig sampling{.max_tokens = 16};
  const Request request = requests_of({7})[0];
  const std::vector<Completion> first = generate(tiny, {request}, sampling);
  std::vector<Request> others(4, request);
  others[0].key = 100;
  others[1].prompt_id = 1;
  others[2].sample = 1;
  others[3].first_position = 1;
  for (const Completion& other : generate(tiny, others, sampling)) CHECK(other.ids != first[0].ids);
}

TEST_CASE("engine: samples of a shared prompt equal those of prompts computed apart") {
  TinyModel tiny;
  const SamplingConfig sampling{.max_tokens = 40};
  for (const std::size_t length : {3UL, 31UL, 32UL, 33UL, 50UL}) {
    CAPTURE(length);
    std::vector<Request> group(8, requests_of({length})[0]);
    for (std::size_t i = 0; i < group.size(); ++i) group[i].sample = static_cast<std::uint32_t>(i);
    Engine engine(*tiny.model, *tiny.tokenizer, {.slots = 5});
    const std::vector<Completion> shared = engine.generate(group, sampling);
    CHECK(engine.prefilled_tokens() == static_cast<std::int64_t>(length));
    for (std::size_t i = 0; i < group.size(); ++i) CHECK(same(shared[i], generate(tiny, {group[i]}, sampling)[0]));
  }
}

TEST_CASE("engine: one engine serves calls of any size, one after the other") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {.slots = 4});
  const std::vector<Request> requests = requests_of(mixed_lengths);
  for (const std::size_t count : {2UL, 12UL, 1UL, 7UL}) {
    const std::vector<Completion> completions =
        engine.generate(std::span(requests).first(count), {.max_tokens = static_cast<std::int64_t>(3 * count)});
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(
          same(completions[i], generate(tiny, {requests[i]}, {.max_tokens = static_cast<std::int64_t>(3 * count)})[0]));
    }
  }
  CHECK(engine.generate({}, {}).empty());
}

TEST_CASE("engine: an update of the weights is seen by the next call") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {});
  const std::vector<Request> requests = requests_of({12});
  const std::vector<Completion> before = engine.generate(requests, {.max_tokens = 16});
  tiny.model->store.initialize(6);
  tiny.model->store.refresh();
  tiny.model->store.set_version(3);
  const std::vector<Completion> after = engine.generate(requests, {.max_tokens = 16});
  CHECK(after[0].ids != before[0].ids);
  CHECK(before[0].version == std::vector<std::int64_t>(before[0].ids.size(), 0));
  CHECK(after[0].version == std::vector<std::int64_t>(after[0].ids.size(), 3));
  CHECK(same(after[0], generate(tiny, requests, {.max_tokens = 16})[0]));
}

TEST_CASE("engine: tokens are told in the order of generation") {
  TinyModel tiny;
  Engine engine(*tiny.model, *tiny.tokenizer, {.slots = 2});
  const std::vector<Request> requests = requests_of({4, 9, 2});
  std::vector<std::vector<std::int32_t>> told(requests.size());
  const std::vector<Completion> completions = engine.generate(
      requests, {.max_tokens = 10}, [&](std::size_t request, std::int32_t id) { told[request].push_back(id); });
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CHECK(told[i] == completions[i].ids);
    tokens += static_cast<std::int64_t>(told[i].size());
  }
  CHECK(engine.sampled_tokens() == tokens);
  CHECK(engine.prefilled_tokens() == 4 + 9 + 2);
}

TEST_CASE("engine: a tokenizer with more ids than the model's vocabulary is refused") {
  TinyModel tiny;
  LlamaSpec small;
  small.vocabulary_size = 100;
  small.hidden = 32;
  small.layers = 1;
  Model model(small, {}, kernels::Compute::float32, false);
  HONE_CHECK_ERROR(config, Engine(model, *tiny.tokenizer, {}), "259", "100");
}
