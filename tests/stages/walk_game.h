#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "envs/random_walks.h"
#include "rewards/random_walks.h"
#include "stages/packed_forward.h"
#include "stages/tiny_rl.h"

namespace hone::test {

/// One id a letter of `letters`, then the id that ends a text.
class AlphabetTokenizer : public Tokenizer {
 public:
  explicit AlphabetTokenizer(std::string letters) : letters_(std::move(letters)) {}

  std::vector<std::int32_t> encode(std::string_view text, AddSpecial = AddSpecial::no,
                                   SpecialTokens = SpecialTokens::as_text) const override {
    std::vector<std::int32_t> ids;
    for (const char c : text) ids.push_back(static_cast<std::int32_t>(letters_.find(c)));
    return ids;
  }
  std::string_view id_to_bytes(std::int32_t id) const override {
    return is_special(id) ? std::string_view() : std::string_view(letters_).substr(static_cast<std::size_t>(id), 1);
  }
  std::optional<std::int32_t> token_to_id(std::string_view) const override { return std::nullopt; }
  std::string id_to_token(std::int32_t id) const override { return std::string(id_to_bytes(id)); }
  std::int32_t vocab_size() const override { return static_cast<std::int32_t>(letters_.size()) + 1; }
  std::optional<std::int32_t> bos_id() const override { return std::nullopt; }
  std::optional<std::int32_t> eos_id() const override { return static_cast<std::int32_t>(letters_.size()); }
  std::optional<std::int32_t> pad_id() const override { return std::nullopt; }
  bool is_special(std::int32_t id) const override { return id == *eos_id(); }
  std::vector<SpecialToken> special_tokens() const override { return {}; }
  void save(const std::filesystem::path&) const override { HONE_ASSERT(false && "a tokenizer of the tests"); }

 private:
  std::string letters_;
};

/// The state that an action is taken in: what the model has seen.
using State = std::vector<std::int32_t>;

inline Batch batch_of(const State& state) {
  Batch batch;
  const auto count = static_cast<std::int64_t>(state.size());
  batch.ids_T = stream_tensor(state, at::kInt);
  batch.position_T = at::arange(count, at::kInt);
  batch.start_S1 = at::tensor(std::vector<int>{0, static_cast<int>(count)}, at::kInt);
  return batch;
}

inline std::string walk_of(const Episode& episode) {
  std::string walk;
  for (const Turn& turn : episode.turns) walk += turn.completion.text;
  return walk;
}

/// random_walks in several turns: the environment says "." after each until the walk is over or leaves the graph.
class WalkGame : public Environment {
 public:
  explicit WalkGame(std::unique_ptr<Environment> walks) : walks_(std::move(walks)) {}
  std::uint64_t size(Split split) const override { return walks_->size(split); }
  Prompt prompt(Split split, std::uint64_t index) const override {
    Prompt prompt = walks_->prompt(split, index);
    prompt.text = ">" + prompt.text;  // without it "b" and "bb" look the same to rotary attention
    return prompt;
  }
  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    Prompt bare = prompt;
    bare.text = prompt.reference.at("start").as_string();
    return walks_->demonstration(bare);
  }
  Step step(const Episode& episode) override {
    const std::string walk = episode.prompt.reference.at("start").as_string() + walk_of(episode);
    const Json& next = episode.prompt.reference.at("next");
    for (std::size_t i = 0; i + 1 < walk.size(); ++i) {
      const Json* edges = next.find(walk.substr(i, 1));
      if (edges == nullptr || edges->as_string().find(walk[i + 1]) == std::string::npos) return {};
    }
    if (walk.back() == 'a') return {};
    return {.done = false, .reply = "."};
  }

 private:
  std::unique_ptr<Environment> walks_;
};

class WalkGameSpec : public EnvironmentSpec {
 public:
  explicit WalkGameSpec(RandomWalksSpec walks) : walks_(std::move(walks)) { kind = name = "walk_game"; }
  void describe(Fields&) override {}
  std::unique_ptr<Environment> make(const Services& services) const override {
    return std::make_unique<WalkGame>(walks_.make(services));
  }

 private:
  RandomWalksSpec walks_;
};

/// The reward of random_walks on the letters of all turns.
inline std::unique_ptr<RewardSpec> walk_reward() {
  const std::shared_ptr<Reward> optimality = RandomWalksRewardSpec().make({});
  return reward_of("optimality", [optimality](const Episode& episode) {
    Episode joined = episode;
    joined.turns = {Turn{.completion = {.text = walk_of(episode)}}};
    return optimality->score(std::span(&joined, 1)).at(0);
  });
}

}  // namespace hone::test
