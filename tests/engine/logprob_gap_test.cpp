#include <cmath>

#include "engine/tiny_model.h"
#include "rollout/pack.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Episodes of one turn from completions.
std::vector<Episode> episodes_of(const std::vector<Request>& requests, const std::vector<Completion>& completions) {
  std::vector<Episode> episodes;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Episode episode;
    episode.prompt_ids = requests[i].context;
    episode.turns.push_back({.completion = completions[i]});
    episodes.push_back(std::move(episode));
  }
  return episodes;
}

/// Largest |log-probability in a training forward - kept at sampling| over all sampled tokens.
double largest_gap(TinyModel& tiny, const Batch& batch, double temperature) {
  const kernels::AttentionPlan plan = packed_plan(batch.start_S1, batch.position_T);
  const at::Tensor row_M = at::nonzero(batch.mask_T).squeeze(1);
  const at::Tensor hidden_MD = take_rows(tiny.model->policy->hidden(batch.ids_T, {.plan = &plan}), row_M);
  REQUIRE(hidden_MD.requires_grad());
  const at::Tensor logprob_M =
      tiny.model->policy->lm_head()
          .token_statistics(hidden_MD, batch.target_T.index_select(0, row_M), 1.0 / temperature, true)
          .logprob_M;
  return (logprob_M.detach() - batch.old_logprob_T.index_select(0, row_M)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("engine: log-probabilities at sampling are those of training, to the bit") {
  for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
    for (const double temperature : {1.0, 0.7}) {
      CAPTURE(static_cast<int>(compute));
      CAPTURE(temperature);
      TinyModel tiny(compute);
      std::vector<std::size_t> lengths;
      for (std::size_t i = 0; i < 260; ++i) lengths.push_back(1 + i * 13 % 40);
      const std::vector<Request> requests = requests_of(lengths);
      const std::vector<Completion> completions =
          generate(tiny, requests, {.temperature = temperature, .max_tokens = 50}, 16);
      const Batch batch = pack_episodes(episodes_of(requests, completions));
      CHECK(batch.mask_T.sum().item<double>() >= 10'000);
      CHECK(largest_gap(tiny, batch, temperature) == 0);
    }
  }
}

TEST_CASE("engine: the gap is a real measurement: another temperature opens it") {
  TinyModel tiny;
  const std::vector<Request> requests = requests_of({5, 9});
  const std::vector<Completion> completions = generate(tiny, requests, {.max_tokens = 20});
  CHECK(largest_gap(tiny, pack_episodes(episodes_of(requests, completions)), 0.7) > 1e-3);
}
