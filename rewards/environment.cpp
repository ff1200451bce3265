#include "rewards/environment.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "rewards/sample_reward.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 2> credits{"episode", "turn"};

class EnvironmentReward : public SampleReward {
 public:
  explicit EnvironmentReward(bool each_turn) : each_turn_(each_turn) {}

 protected:
  Score judge(const Episode& episode) const override {
    Score score;
    double total = 0;
    bool any = false;
    for (std::size_t turn = 0; turn < episode.turns.size(); ++turn) {
      const auto& reward = episode.turns[turn].reward;
      if (!reward) continue;
      if (!std::isfinite(*reward))
        return Score::error(fmt::format("turn {} has the reward {}", turn, *reward), "not_finite");
      any = true;
      total += *reward;
      const auto end = static_cast<std::int64_t>(episode.turns[turn].completion.ids.size());
      // A turn without tokens has no place of its own: its reward comes at the end.
      if (each_turn_ && turn + 1 < episode.turns.size() && end > 0) {
        if (*reward != 0) score.spans.push_back({static_cast<std::int64_t>(turn), end, *reward});
      } else {
        score.value += *reward;
      }
    }
    if (!any) return Score::abstain("the environment gave no reward to any turn");
    if (each_turn_) score.parts.emplace_back("total", total);
    return score;
  }

 private:
  bool each_turn_;
};

}  // namespace

void EnvironmentRewardSpec::describe_reward(Fields& f) {
  f.choice("credit", credit, credits, "Whether the sum is one value at the end, or each turn gets its own.");
}

std::unique_ptr<Reward> EnvironmentRewardSpec::make(const Services&) const {
  return std::make_unique<EnvironmentReward>(credit == Credit::turn);
}

}  // namespace hone
