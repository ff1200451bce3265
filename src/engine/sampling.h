#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "kernels/logit_rules/logit_rules.h"
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
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  std::int64_t no_repeat_ngram = 0;
  std::int64_t min_tokens = 0;
  std::vector<std::pair<std::string, double>> logit_bias;
  std::vector<std::int64_t> eos_ids;

  void describe(Fields& f);

  kernels::SampleRule rule() const {
    return {static_cast<float>(temperature), static_cast<std::int32_t>(top_k), static_cast<float>(top_p),
            static_cast<float>(min_p)};
  }
  /// Penalties, biases and bans over a vocabulary whose completions end with `eos`. Error{config} for a key of
  /// logit_bias that is no id of the vocabulary.
  kernels::LogitRules logit_rules(std::int64_t vocabulary, std::vector<std::int32_t> eos) const;
  /// Whether tokens are drawn from another distribution than softmax(logits / temperature): by truncation, penalties,
  /// biases or bans. Never when greedy.
  bool reshapes() const;
  /// What log-probabilities are computed with, in sampling and in training alike; temperature > 0.
  double inverse_temperature() const { return 1.0 / static_cast<double>(static_cast<float>(temperature)); }
  SamplingConfig greedy() const {
    SamplingConfig config = *this;
    config.temperature = 0;
    return config;
  }
};

}  // namespace hone
