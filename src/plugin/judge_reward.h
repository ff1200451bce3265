#pragma once

#include <memory>
#include <optional>
#include <string>

#include "flow/reward.h"
#include "plugin/http_reward.h"

namespace hone {

/// A language model behind an OpenAI-compatible chat endpoint as judge: one request an episode, at temperature 0 and
/// with the episode's seed; the score is a number in its reply.
class JudgeRewardSpec : public RewardSpec {
 public:
  HttpServiceConfig service;
  std::string model;
  std::string prompt;
  std::string system;
  std::string pattern;
  std::string json_key;
  double low = 0;
  double high = 10;
  std::int64_t max_tokens = 512;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
