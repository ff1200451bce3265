#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// How much of the reference text the last completion has, 0 … 1:
///
///     bleu                     sentence BLEU by sacrebleu's conventions: words of 13a, n up to 4, exponential
///                              smoothing, effective order
///     rouge1, rouge2, rougeL   F₁ by rouge_score's conventions without its stemmer
///
/// The reference is a text or a list of texts: BLEU counts what stands in any, ROUGE takes the best one.
class OverlapSpec : public RewardSpec {
 public:
  enum class Measure { bleu, rouge1, rouge2, rouge_l };
  std::string key = "answer";
  Measure measure = Measure::rouge_l;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
