// Completions that are left for a later call after a budget of tokens, and go on there.
#include <string>

#include "engine/tiny_model.h"

using namespace hone;
using namespace hone::test;

namespace {

const std::vector<std::size_t> lengths = {1, 5, 31, 32, 33, 17, 2};

void append(Completion& whole, Completion part) {
  whole.ids.insert(whole.ids.end(), part.ids.begin(), part.ids.end());
  whole.logprob.insert(whole.logprob.end(), part.logprob.begin(), part.logprob.end());
  whole.sampler_logprob.insert(whole.sampler_logprob.end(), part.sampler_logprob.begin(), part.sampler_logprob.end());
  whole.version.insert(whole.version.end(), part.version.begin(), part.version.end());
  whole.text = std::move(part.text);
  whole.finish = part.finish;
}

/// The completions, at most `budget` tokens of each a call; `calls` counts them.
std::vector<Completion> in_parts(TinyModel& tiny, const std::vector<Request>& requests, const SamplingConfig& sampling,
                                 std::int64_t budget, std::int64_t& calls) {
  std::vector<Completion> whole(requests.size());
  std::vector<std::size_t> open(requests.size());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  for (calls = 0; !open.empty(); ++calls) {
    std::vector<Request> asked;
    for (const std::size_t i : open) {
      Request& request = asked.emplace_back(requests[i]);
      request.context.insert(request.context.end(), whole[i].ids.begin(), whole[i].ids.end());
      request.written = static_cast<std::uint32_t>(whole[i].ids.size());
      request.first_position = request.written;
      request.budget = budget;
    }
    std::vector<Completion> parts = generate(tiny, asked, sampling);
    std::vector<std::size_t> still_open;
    for (std::size_t k = 0; k < open.size(); ++k) {
      append(whole[open[k]], std::move(parts[k]));
      if (whole[open[k]].finish == FinishReason::abort) still_open.push_back(open[k]);
    }
    open = std::move(still_open);
  }
  return whole;
}

}  // namespace

TEST_CASE("engine: a completion that is drawn in parts is bit for bit the one drawn at once") {
  SamplingConfig stops{.max_tokens = 24, .stop = {"e", "th"}};
  SamplingConfig ruled{.top_k = 40, .max_tokens = 24, .repetition_penalty = 1.3, .frequency_penalty = 0.2, .min_tokens = 9};
  ruled.no_repeat_ngram = 2;
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    TinyModel tiny(compute);
    const std::vector<Request> requests = requests_of(lengths);
    for (const SamplingConfig& sampling : {SamplingConfig{.max_tokens = 24}, stops, ruled}) {
      const std::vector<Completion> at_once = generate(tiny, requests, sampling);
      for (const std::int64_t budget : {1, 5, 8}) {
        std::int64_t calls = 0;
        const std::vector<Completion> parts = in_parts(tiny, requests, sampling, budget, calls);
        CHECK(calls <= (24 + budget - 1) / budget);
        for (std::size_t i = 0; i < requests.size(); ++i) CHECK(same(parts[i], at_once[i]));
      }
    }
  }
}

TEST_CASE("engine: a budget that the completion does not reach, or that is its limit, leaves nothing open") {
  TinyModel tiny;
  std::vector<Request> requests = requests_of(lengths);
  const std::vector<Completion> plain = generate(tiny, requests, {.max_tokens = 6});
  for (Request& request : requests) request.budget = 6;
  const std::vector<Completion> limited = generate(tiny, requests, {.max_tokens = 6});
  for (std::size_t i = 0; i < requests.size(); ++i) CHECK(same(limited[i], plain[i]));
}
