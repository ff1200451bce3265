#include "rollout/collect.h"

#include <algorithm>

#include "base/random.h"
#include "engine/tiny_model.h"
#include "envs/skeleton.h"
#include "rollout/pack.h"

using namespace hone;
using namespace hone::test;

namespace {

/// A random model plays the guessing game.
struct Collection {
  explicit Collection(std::int64_t turns = 3, std::int64_t context = 96) : tiny(kernels::Compute::float32, context) {
    SkeletonEnvSpec spec;
    spec.turns = turns;
    environment = spec.make({.seed = 3});
  }

  std::vector<Episode> collect(std::vector<std::uint64_t> prompts, CollectPlan plan) {
    Engine engine(*tiny.model, *tiny.tokenizer, {});
    return hone::collect(engine, *tiny.tokenizer, *environment, prompts, sampling, plan);
  }

  TinyModel tiny;
  std::unique_ptr<Environment> environment;
  SamplingConfig sampling{.max_tokens = 4};
};

bool same_episode(const Episode& a, const Episode& b) {
  return a.prompt.id == b.prompt.id && a.sample == b.sample && a.token_stream() == b.token_stream() &&
         std::equal(a.turns.begin(), a.turns.end(), b.turns.begin(), b.turns.end(),
                    [](const Turn& x, const Turn& y) {
                      return same(x.completion, y.completion) && x.reply == y.reply;
                    });
}

bool same_episodes(const std::vector<Episode>& a, const std::vector<Episode>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_episode);
}

}  // namespace

TEST_CASE("rollout: several turns are the very ids that were sampled, with the ids of the replies between") {
  Collection collection;
  const std::vector<Episode> episodes = collection.collect({0, 1, 2, 3}, {.samples = 2, .key = 11});
  REQUIRE(episodes.size() == 8);
  const Tokenizer& tokenizer = *collection.tiny.tokenizer;
  bool kept_what_text_loses = false;
  for (const Episode& episode : episodes) {
    CHECK(episode.prompt_ids == tokenizer.encode(episode.prompt.text));
    REQUIRE(episode.turns.size() == 3);  // a random model never guesses the number
    std::vector<std::int32_t> stream = episode.prompt_ids;
    for (std::size_t turn = 0; turn < episode.turns.size(); ++turn) {
      const auto& [completion, reply, reply_ids, reward] = episode.turns[turn];
      CHECK_FALSE(reward.has_value());
      CHECK(reply_ids == tokenizer.encode(reply));
      CHECK(reply.empty() == (turn == 2));
      CHECK(completion.logprob.size() == completion.ids.size());
      kept_what_text_loses |= tokenizer.encode(completion.text) != completion.ids;
      stream.insert(stream.end(), completion.ids.begin(), completion.ids.end());
      stream.insert(stream.end(), reply_ids.begin(), reply_ids.end());
    }
    CHECK(episode.token_stream() == stream);
  }
  // Broken UTF-8 and end-of-sequence do not survive decoding, so nothing here went through text.
  CHECK(kept_what_text_loses);
}

TEST_CASE("rollout: no turn begins once the episode's tokens are spent") {
  Collection collection(9);
  for (const Episode& episode : collection.collect({0, 1}, {.samples = 2, .key = 11, .max_episode_tokens = 6})) {
    CHECK(episode.turns.size() == 2);  // 4 tokens, then 4 more, since 4 were below the limit
    CHECK(episode.completion_tokens() == 8);
    CHECK(episode.finish() == FinishReason::length);
    CHECK(episode.turns.back().reply.empty());
  }
}

TEST_CASE("rollout: groups are told when their last episode has ended, and each once") {
  Collection collection;
  Engine engine(*collection.tiny.model, *collection.tiny.tokenizer, {});
  const std::vector<std::uint64_t> prompts{0, 1, 2};
  const CollectPlan plan{.samples = 2, .key = 11};
  std::vector<Episode> episodes = start_episodes(*collection.tiny.tokenizer, *collection.environment, prompts, plan);
  std::vector<std::size_t> told;
  play(engine, *collection.tiny.tokenizer, *collection.environment, collection.sampling, plan, episodes,
       [&](std::size_t first, std::size_t count) {
         CHECK(count == 2);
         for (std::size_t i = first; i < first + count; ++i) CHECK(episodes[i].turns.size() == 3);
         told.push_back(first);
       });
  std::ranges::sort(told);
  CHECK(told == std::vector<std::size_t>{0, 2, 4});
}

TEST_CASE("rollout: a batch of several turns counts what the policy wrote and nothing else") {
  Collection collection;
  const std::vector<Episode> episodes = collection.collect({0, 1, 2}, {.samples = 1, .key = 11});
  const Batch batch = pack_episodes(episodes);
  std::int64_t row = 0, written = 0;
  for (const Episode& episode : episodes) {
    std::vector<float> mask(episode.prompt_ids.size() - 1, 0);
    for (const Turn& turn : episode.turns) {
      mask.insert(mask.end(), turn.completion.ids.size(), 1);
      mask.insert(mask.end(), turn.reply_ids.size(), 0);
    }
    mask.push_back(0);
    for (std::size_t i = 0; i < mask.size(); ++i, ++row) CHECK(batch.mask_T[row].item<float>() == mask[i]);
    written += episode.completion_tokens();
  }
  CHECK(row == batch.tokens());
  CHECK(batch.mask_T.sum().item<double>() == static_cast<double>(written));
}

TEST_CASE("rollout: an episode that would go on is cut after max_turns") {
  Collection collection(5);
  const std::vector<Episode> episodes = collection.collect({0, 1}, {.samples = 1, .key = 11, .max_turns = 2});
  for (const Episode& episode : episodes) {
    REQUIRE(episode.turns.size() == 2);
    CHECK(episode.finish() == FinishReason::env);
    CHECK(episode.turns[1].reply.empty());
    CHECK(episode.turns[1].reply_ids.empty());
  }
  // Ending by itself at the same length is no cut.
  for (const Episode& episode : Collection(2).collect({0, 1}, {.samples = 1, .key = 11, .max_turns = 2})) {
    CHECK(episode.finish() != FinishReason::env);
  }
}

TEST_CASE("rollout: an episode whose next turn would not fit the context ends there, and the others go on") {
  const std::vector<Episode> roomy = Collection(5).collect({0}, {.samples = 1, .key = 11});
  const auto first_turns = static_cast<std::int64_t>(roomy[0].prompt_ids.size() + roomy[0].turns[0].completion.ids.size() +
                                                     roomy[0].turns[0].reply_ids.size());
  Collection tight(5, first_turns);
  for (const Episode& episode : tight.collect({0, 1}, {.samples = 1, .key = 11})) {
    CHECK(episode.finish() == FinishReason::length);
    CHECK(episode.turns.back().reply_ids.empty());
    CHECK(static_cast<std::int64_t>(episode.token_stream().size()) <= first_turns);
  }
}

TEST_CASE("rollout: the same key and visit draw the same episodes, another of either draws others") {
  Collection collection;
  const CollectPlan plan{.samples = 2, .key = 11, .visit = 1};
  const std::vector<Episode> first = collection.collect({0, 1, 2}, plan);
  CHECK(same_episodes(first, collection.collect({0, 1, 2}, plan)));
  CollectPlan later = plan;
  later.visit = 2;
  CollectPlan keyed = plan;
  keyed.key = 12;
  for (const CollectPlan& other : {later, keyed}) {
    const std::vector<Episode> drawn = collection.collect({0, 1, 2}, other);
    for (std::size_t i = 0; i < first.size(); ++i) CHECK(!same_episode(first[i], drawn[i]));
  }
  CHECK(first[0].visit == 1);
  CHECK(!same_episode(first[0], first[1]));
}

TEST_CASE("rollout: what else is collected does not change an episode") {
  Collection collection;
  const CollectPlan plan{.samples = 2, .key = 11};
  const std::vector<Episode> forward = collection.collect({0, 1, 2, 3}, plan);
  const std::vector<Episode> backward = collection.collect({3, 2, 1, 0}, plan);
  const std::vector<Episode> alone = collection.collect({2}, plan);
  for (std::size_t i = 0; i < forward.size(); ++i) {
    const std::size_t mirrored = (3 - i / 2) * 2 + i % 2;
    CHECK(same_episode(forward[i], backward[mirrored]));
    CHECK(backward[mirrored].group == static_cast<std::int64_t>(3 - i / 2));
  }
  CHECK(same_episode(forward[4], alone[0]));
  CHECK(same_episode(forward[5], alone[1]));
}

TEST_CASE("rollout: episodes of a prompt are adjacent and share a group") {
  Collection collection(1);
  const std::vector<Episode> episodes =
      collection.collect({5, 2}, {.split = Split::held_out, .samples = 3, .key = 1});
  REQUIRE(episodes.size() == 6);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    CHECK(episodes[i].group == static_cast<std::int64_t>(i / 3));
    CHECK(episodes[i].sample == static_cast<std::int64_t>(i % 3));
    CHECK(episodes[i].prompt.id == prompt_id(Split::held_out, i < 3 ? 5 : 2));
  }
}
