#include <algorithm>

#include "engine/tiny_model.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Greedy text of a prompt, to look for stop texts in.
Completion greedy(TinyModel& tiny, std::int64_t max_tokens, std::vector<std::string> stop = {}) {
  return generate(tiny, requests_of({6}), {.temperature = 0, .max_tokens = max_tokens, .stop = std::move(stop)})[0];
}

/// A model that always gives the id `favourite`: its embedding row is the only one that is not zero.
TinyModel single_minded(std::int32_t favourite) {
  TinyModel tiny;
  at::Tensor embedding = tiny.model->store.find("embedding").weight();
  const at::Tensor direction = at::ones({embedding.size(1)});
  embedding.zero_();
  for (const std::int32_t id : {97, favourite}) embedding[id].copy_(direction * (id == favourite ? 2 : 1));
  for (const Segment& segment : tiny.model->store.segments()) {
    if (segment.name.find("output") != std::string::npos || segment.name.find("down") != std::string::npos) {
      tiny.model->store.find(segment.name).weight().zero_();
    }
  }
  tiny.model->store.refresh();
  return tiny;
}

}  // namespace

TEST_CASE("engine: the token budget ends a completion") {
  TinyModel tiny;
  for (const std::int64_t budget : {1, 2, 17}) {
    const std::vector<Completion> completions = generate(tiny, requests_of({3, 40}), {.max_tokens = budget});
    for (const Completion& completion : completions) {
      const auto length = static_cast<std::int64_t>(completion.ids.size());
      CHECK(length <= budget);
      CHECK((completion.finish == FinishReason::length) == (completion.ids.back() != tiny.tokenizer->eos_id()));
      CHECK(completion.logprob.size() == completion.ids.size());
      CHECK(completion.sampler_logprob.empty());
    }
  }
}

TEST_CASE("engine: end-of-sequence ends a completion; it is among the ids and not in the text") {
  const std::int32_t eos = *byte_tokenizer()->eos_id();
  TinyModel tiny = single_minded(eos);
  Request request{.context = {97}, .key = 1};
  const Completion completion = generate(tiny, {request}, {.temperature = 0, .max_tokens = 10})[0];
  CHECK(completion.ids == std::vector<std::int32_t>{eos});
  CHECK(completion.text.empty());
  CHECK(completion.finish == FinishReason::stop);
}

TEST_CASE("engine: ids of a padded vocabulary have no text") {
  TinyModel tiny(kernels::Compute::float32, 96, 0, 300);
  std::size_t padding = 0;
  for (const Completion& completion : generate(tiny, requests_of({3, 9, 20}), {.max_tokens = 40})) {
    std::vector<std::int32_t> known;
    for (const std::int32_t id : completion.ids) {
      if (id < tiny.tokenizer->vocab_size()) known.push_back(id);
    }
    padding += completion.ids.size() - known.size();
    CHECK(completion.text == tiny.tokenizer->decode(known));
  }
  CHECK(padding > 20);
}

TEST_CASE("engine: a full context ends a completion at the last position that training could compute") {
  TinyModel tiny(kernels::Compute::float32, 40);
  const std::vector<Completion> completions =
      generate(tiny, requests_of({39, 38, 20}), {.temperature = 0, .max_tokens = 100});
  const std::size_t contexts[] = {39, 38, 20};
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(contexts[i] + completions[i].ids.size() <= 40);
    if (completions[i].finish == FinishReason::length) CHECK(contexts[i] + completions[i].ids.size() == 40);
  }
  CHECK(completions[0].ids.size() == 1);
}

TEST_CASE("engine: a prompt that fills the context is an error that names it") {
  TinyModel tiny(kernels::Compute::float32, 40);
  HONE_CHECK_ERROR(data, generate(tiny, requests_of({3, 40}), {}), "prompt 1", "40 tokens", "context of 40");
}

TEST_CASE("engine: a stop text ends the completion and is cut from its text, not from its ids") {
  TinyModel tiny = single_minded('z');
  Request request{.context = {97}, .key = 1};
  SamplingConfig sampling{.temperature = 0, .max_tokens = 10, .stop = {"zzz"}};
  const Completion stopped = generate(tiny, {request}, sampling)[0];
  CHECK(stopped.ids == std::vector<std::int32_t>(3, 'z'));
  CHECK(stopped.text.empty());
  CHECK(stopped.finish == FinishReason::stop);
  sampling.stop = {"nothing of this"};
  const Completion free = generate(tiny, {request}, sampling)[0];
  CHECK(free.text == "zzzzzzzzzz");
  CHECK(free.finish == FinishReason::length);
}

TEST_CASE("engine: text before a stop text stays as it was") {
  TinyModel tiny;
  const Completion free = greedy(tiny, 12);
  REQUIRE(free.ids.size() >= 4);
  const std::string third(tiny.tokenizer->id_to_bytes(free.ids[2]));
  const auto first_seen =
      static_cast<std::size_t>(std::find(free.ids.begin(), free.ids.end(), free.ids[2]) - free.ids.begin());
  const Completion stopped = greedy(tiny, 12, {third});
  CHECK(stopped.ids ==
        std::vector<std::int32_t>(free.ids.begin(), free.ids.begin() + static_cast<std::ptrdiff_t>(first_seen) + 1));
  CHECK(stopped.finish == FinishReason::stop);
}

TEST_CASE("engine: little memory for keys and values means fewer slots, not other samples") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({5, 20, 33, 8, 40});
  const std::vector<Completion> all = generate(tiny, requests, {.max_tokens = 20});
  const std::int64_t page = KvCache::page_bytes(2, tiny.model->policy->shape().attention);
  // 40 + 20 tokens are two pages; one slot needs two, one for sharing, and two for a prompt that waits.
  Engine engine(*tiny.model, *tiny.tokenizer, {.slots = 128, .kv_memory = Bytes{5 * page}});
  const std::vector<Completion> frugal = engine.generate(requests, {.max_tokens = 20});
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(same(frugal[i], all[i]));
  Engine starved(*tiny.model, *tiny.tokenizer, {.slots = 128, .kv_memory = Bytes{5 * page - 1}});
  HONE_CHECK_ERROR(config, starved.generate(requests, {.max_tokens = 20}), "kv_memory", "5 pages", "max_tokens");
}

TEST_CASE("engine: truncated sampling keeps both log-probabilities") {
  TinyModel tiny;
  const Completion completion = generate(tiny, requests_of({9}), {.top_k = 3, .max_tokens = 20})[0];
  REQUIRE(completion.sampler_logprob.size() == completion.ids.size());
  for (std::size_t i = 0; i < completion.ids.size(); ++i) CHECK(completion.sampler_logprob[i] >= completion.logprob[i]);
}
