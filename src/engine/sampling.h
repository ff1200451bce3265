#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"
#include "kernels/sample/sample_rule.h"

namespace hone {

/// How completions are drawn.
struct SamplingConfig {
  double temperature = 1.0;
  std::int64_t top_k = 0;
  double top_p = 1.0;
  double min_p = 0.0;
  std::int64_t max_tokens = 64;
  std::vector<std::string> stop;

  void describe(Fields& f) {
    f.field("temperature", temperature, "Divides the logits; 0 takes the most likely token.", at_least(0));
    f.field("top_k", top_k, "Keeps the k most likely tokens; 0: all.", at_least(0));
    f.field("top_p", top_p, "Keeps the most likely tokens whose probability reaches it; 1: all.",
            {.low = 0, .high = 1, .open_low = true});
    f.field("min_p", min_p, "Keeps tokens of at least this share of the largest probability; 0: all.", between(0, 1));
    f.field("max_tokens", max_tokens, "Longest completion in tokens.", at_least(1));
    f.field("stop", stop, "Texts that end a completion; they are cut from its text.");
  }

  kernels::SampleRule rule() const {
    return {static_cast<float>(temperature), static_cast<std::int32_t>(top_k), static_cast<float>(top_p),
            static_cast<float>(min_p)};
  }
  /// What log-probabilities are computed with, in sampling and in training alike; temperature > 0.
  double inverse_temperature() const { return 1.0 / static_cast<double>(static_cast<float>(temperature)); }
  SamplingConfig greedy() const {
    SamplingConfig config = *this;
    config.temperature = 0;
    return config;
  }
};

}  // namespace hone
