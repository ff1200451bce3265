#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/reward.h"

namespace hone::test {

using ScoreAll = std::function<std::vector<Score>(std::span<const Episode>)>;
using ScoreOne = std::function<Score(const Episode&)>;

/// A reward that is a function of the test.
class FunctionReward : public RewardSpec {
 public:
  FunctionReward(const std::string& its_name, ScoreAll score, double its_weight, RewardScope scope)
      : score_(std::move(score)), scope_(scope) {
    kind = name = its_name;
    term.weight = its_weight;
  }
  std::int64_t calls_at_once = 0, call_size = 0;

  void describe_reward(Fields&) override {}
  std::unique_ptr<Reward> make(const Services&) const override {
    struct Made : Reward {
      RewardScope scope() const override { return its_scope; }
      std::vector<Score> score(std::span<const Episode> episodes) override { return function(episodes); }
      ScoreAll function;
      std::int64_t calls_at_once() const override { return its_calls; }
      std::int64_t call_size() const override { return its_call_size; }
      RewardScope its_scope = RewardScope::sample;
      std::int64_t its_calls = 0, its_call_size = 0;
    };
    auto made = std::make_unique<Made>();
    made->function = score_;
    made->its_scope = scope_;
    made->its_calls = calls_at_once;
    made->its_call_size = call_size;
    return made;
  }

 private:
  ScoreAll score_;
  RewardScope scope_;
};

inline std::unique_ptr<RewardSpec> reward_of_all(const std::string& name, ScoreAll score, double weight = 1,
                                                 RewardScope scope = RewardScope::sample) {
  return std::make_unique<FunctionReward>(name, std::move(score), weight, scope);
}

inline std::unique_ptr<RewardSpec> reward_of(const std::string& name, ScoreOne score, double weight = 1) {
  return reward_of_all(
      name,
      [score = std::move(score)](std::span<const Episode> episodes) {
        std::vector<Score> scores;
        for (const Episode& episode : episodes) scores.push_back(score(episode));
        return scores;
      },
      weight);
}

/// The list that RewardSum and stages take.
template <class... Specs>
std::vector<std::unique_ptr<RewardSpec>> rewards_of(Specs... specs) {
  std::vector<std::unique_ptr<RewardSpec>> list;
  (list.push_back(std::move(specs)), ...);
  return list;
}

}  // namespace hone::test
