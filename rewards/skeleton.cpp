#include "rewards/skeleton.h"

#include <string>

#include "rewards/sample_reward.h"

namespace hone {

namespace {

class FoundNumber : public SampleReward {
 public:
  explicit FoundNumber(bool quick) : quick_(quick) {}

 protected:
  // A pure function of the episode. What cannot be judged throws (or returns Score::error, Score::abstain): here a
  // reference without "answer". A value of 0 means "judged, and bad".
  Score judge(const Episode& episode) const override {
    const std::string& hidden = reference_at(episode, "answer").as_string();
    const auto turns = static_cast<double>(episode.turns.size());
    const bool found = episode.completion_text() == hidden;
    return {.value = found ? (quick_ ? 1.0 / turns : 1.0) : 0.0, .parts = {{"turns", turns}}};
  }

 private:
  bool quick_;
};

}  // namespace

void SkeletonRewardSpec::describe_reward(Fields& f) {
  f.field("quick", quick, "Divides the reward by the number of turns taken.");
}

std::unique_ptr<Reward> SkeletonRewardSpec::make(const Services&) const { return std::make_unique<FoundNumber>(quick); }

}  // namespace hone
