#include "rollout/pack.h"

#include "support/doctest_torch.h"
#include "support/episodes.h"

using namespace hone;
using namespace hone::test;

namespace {

template <class T>
std::vector<T> values(const at::Tensor& stream) {
  return {stream.data_ptr<T>(), stream.data_ptr<T>() + stream.numel()};
}

using Ids = std::vector<std::int32_t>;
using Longs = std::vector<std::int64_t>;
using Floats = std::vector<float>;

/// prompt 1 2 3, wrote 10 11, was told 20 21, wrote 12.
Episode two_turns() {
  Episode episode;
  episode.prompt_ids = {1, 2, 3};
  episode.group = 4;
  episode.turns.resize(2);
  episode.turns[0].completion = {.ids = {10, 11}, .logprob = {-1.0F, -1.5F}, .version = {7, 8}};
  episode.turns[0].reply_ids = {20, 21};
  episode.turns[1].completion = {.ids = {12}, .logprob = {-2.0F}, .version = {9}};
  return episode;
}

/// prompt 5, wrote 6, drawn with a truncated distribution.
Episode one_turn() {
  Episode episode;
  episode.prompt_ids = {5};
  episode.group = 9;
  episode.turns.resize(1);
  episode.turns[0].completion = {.ids = {6}, .logprob = {-3.0F}, .sampler_logprob = {-0.25F}, .version = {2}};
  return episode;
}

}  // namespace

TEST_CASE("rollout: an episode of two turns as rows that predict what the policy wrote") {
  const std::vector<Episode> episodes{two_turns(), one_turn()};
  const Batch batch = pack_episodes(episodes);
  CHECK(values<std::int32_t>(batch.ids_T) == Ids{1, 2, 3, 10, 11, 20, 21, 12, 5, 6});
  CHECK(values<std::int32_t>(batch.position_T) == Ids{0, 1, 2, 3, 4, 5, 6, 7, 0, 1});
  CHECK(values<std::int32_t>(batch.start_S1) == Ids{0, 8, 10});
  CHECK(values<std::int64_t>(batch.group_S) == Longs{4, 9});
  // The row of token t predicts token t + 1: 10 and 11 are predicted at 3 and 10, 12 at the last reply token.
  CHECK(values<float>(batch.mask_T) == Floats{0, 0, 1, 1, 0, 0, 1, 0, 1, 0});
  const Longs target = values<std::int64_t>(batch.target_T);
  CHECK(Longs{target[2], target[3], target[6], target[8]} == Longs{10, 11, 12, 6});
  CHECK(values<float>(batch.old_logprob_T) == Floats{0, 0, -1, -1.5F, 0, 0, -2, 0, -3, 0});
  CHECK(values<std::int64_t>(batch.version_T) == Longs{0, 0, 7, 8, 0, 0, 9, 0, 2, 0});
}

TEST_CASE("rollout: the sampler's own log-probability stands beside, and is the same where nothing was truncated") {
  const std::vector<Episode> episodes{two_turns(), one_turn()};
  const Batch batch = pack_episodes(episodes);
  CHECK(values<float>(batch.rollout_logprob_T) == Floats{0, 0, -1, -1.5F, 0, 0, -2, 0, -0.25F, 0});
}

TEST_CASE("rollout: an episode without a score keeps its rows, and none of them counts") {
  std::vector<Episode> episodes{two_turns(), one_turn()};
  episodes[0].score = Score::error("broken");
  const Batch batch = pack_episodes(episodes);
  CHECK(batch.tokens() == 10);
  CHECK(values<float>(batch.mask_T) == Floats{0, 0, 0, 0, 0, 0, 0, 0, 1, 0});
}

TEST_CASE("rollout: sequences picked from a batch keep their streams, in the order asked for") {
  const std::vector<Episode> episodes{two_turns(), one_turn()};
  Batch batch = pack_episodes(episodes);
  batch.advantage_T = at::arange(10, at::kFloat);
  const Batch turned = pick_sequences(batch, Longs{1, 0});
  CHECK(values<std::int32_t>(turned.ids_T) == Ids{5, 6, 1, 2, 3, 10, 11, 20, 21, 12});
  CHECK(values<std::int32_t>(turned.start_S1) == Ids{0, 2, 10});
  CHECK(values<std::int64_t>(turned.group_S) == Longs{9, 4});
  CHECK(values<float>(turned.advantage_T) == Floats{8, 9, 0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(values<float>(turned.mask_T) == Floats{1, 0, 0, 0, 1, 1, 0, 0, 1, 0});
  CHECK(!turned.return_T.defined());
  const Batch one = pick_sequences(batch, Longs{1});
  CHECK(one.sequences() == 1);
  CHECK(values<std::int32_t>(one.position_T) == Ids{0, 1});
  CHECK(values<float>(one.old_logprob_T) == Floats{-3, 0});
  CHECK(pick_sequences(batch, Longs{}).tokens() == 0);
  CHECK(!one.has_sources());
}

TEST_CASE("rollout: picked sequences keep their values and types, and their answers move with them") {
  const std::vector<Episode> episodes{two_turns(), one_turn()};
  Batch batch = pack_episodes(episodes);
  batch.type_T = at::arange(10, at::kInt);
  batch.target_SC = stream_tensor(Floats{1, 2, 3, 4}, at::kFloat).view({2, 2});
  batch.span_S2 = stream_tensor(Longs{2, 5, 9, 9}, at::kLong).view({2, 2});
  const Batch picked = pick_sequences(batch, Longs{1, 0});
  CHECK(values<std::int32_t>(picked.type_T) == Ids{8, 9, 0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(values<float>(picked.target_SC.view({-1})) == Floats{3, 4, 1, 2});
  CHECK(values<std::int64_t>(picked.span_S2.view({-1})) == Longs{1, 1, 4, 7});
}

TEST_CASE("rollout: picked sequences keep their sources") {
  const std::vector<Episode> episodes{two_turns(), one_turn()};
  Batch batch = pack_episodes(episodes);
  batch.source_ids_U = stream_tensor(Ids{4, 5, 6, 7, 8}, at::kInt);
  batch.source_position_U = stream_tensor(Ids{0, 1, 2, 0, 1}, at::kInt);
  batch.source_start_S1 = stream_tensor(Ids{0, 3, 5}, at::kInt);
  const Batch picked = pick_sequences(batch, Longs{1, 0, 1});
  CHECK(values<std::int32_t>(picked.source_ids_U) == Ids{7, 8, 4, 5, 6, 7, 8});
  CHECK(values<std::int32_t>(picked.source_position_U) == Ids{0, 1, 0, 1, 2, 0, 1});
  CHECK(values<std::int32_t>(picked.source_start_S1) == Ids{0, 2, 5, 7});
}
