#include "rewards/length.h"

#include <algorithm>
#include <cmath>

#include "rewards/sample_reward.h"

namespace hone {

namespace {

class Length : public SampleReward {
 public:
  explicit Length(const LengthSpec& spec)
      : max_(spec.max), buffer_(spec.buffer), floor_(spec.floor), target_(spec.target), penalty_(spec.penalty) {}

 protected:
  Score judge(const Episode& episode) const override {
    const auto tokens = static_cast<double>(episode.completion_tokens());
    Score score;
    if (max_) score.parts.emplace_back("overlong", -penalty_ * overlong(tokens));
    if (target_) {
      const auto target = static_cast<double>(*target_);
      score.parts.emplace_back("target", -penalty_ * std::min(1.0, std::abs(tokens - target) / target));
    }
    for (const auto& [part, value] : score.parts) score.value += value;
    return score;
  }

 private:
  /// 0 … 1 within the buffer; beyond max 1 or, without a floor, more. Without a buffer a step at max.
  double overlong(double tokens) const {
    const auto max = static_cast<double>(*max_);
    const auto buffer = static_cast<double>(buffer_);
    if (tokens <= max - buffer) return 0.0;
    if (buffer_ == 0) return 1.0;
    const double share = (tokens - (max - buffer)) / buffer;
    return floor_ ? std::min(1.0, share) : share;
  }

  std::optional<std::int64_t> max_;
  std::int64_t buffer_;
  bool floor_;
  std::optional<std::int64_t> target_;
  double penalty_;
};

}  // namespace

void LengthSpec::describe_reward(Fields& f) {
  f.field("max", max, "Tokens a completion may have; the penalty is whole from here on.", at_least(1));
  f.field("buffer", buffer, "Tokens before `max` over which the penalty grows; 0 is a step.", at_least(0));
  f.field("floor", floor, "Beyond `max` the penalty grows no further.");
  f.field("target", target, "Tokens a completion should have.", at_least(1));
  f.field("penalty", penalty, "Size of the penalty.", at_least(0.0));
  f.check(max || target, "max", "set `max`, `target` or both");
  f.check(!max || buffer <= *max, "buffer", "must not exceed `max`");
  f.check(floor || buffer > 0, "buffer", "a penalty without a floor needs a buffer of at least 1");
}

std::unique_ptr<Reward> LengthSpec::make(const Services&) const { return std::make_unique<Length>(*this); }

}  // namespace hone
