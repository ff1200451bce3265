#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// What of the steps' probabilities an episode gets.
///     each      every step its own where it ends: spans, that of the last step the value (docs/stages/grpo.md, credit)
///     min       the least of them, as the value: a solution is as good as its worst step
///     product   the probability that all are right (Lightman et al. 2023)
///     mean
///     last
enum class StepCredit { each, min, product, mean, last };
inline constexpr std::array<std::string_view, 5> step_credit_names = {"each", "min", "product", "mean", "last"};

/// Part of a completion that a separator ends, or the completion's end.
struct CompletionStep {
  std::string text;            ///< without the separator
  std::int64_t end_token = 0;  ///< tokens of the completion up to the step's end, separator included
};

/// The steps of a completion of which `pieces` are the bytes of its tokens; what is empty or blank is no step. The last
/// step ends with the completion's last token.
std::vector<CompletionStep> steps_of(const std::vector<std::string>& pieces, std::string_view separator);

/// What a process reward model says of the steps of the last completion: the probability of each to be right, given the
/// prompt and the steps before, mapped from 0 … 1 onto to₀ … to₁. A completion without steps gets to₀. The parts `mean`
/// and `min` are of the probabilities, `steps` is their number.
class ProcessScoreSpec : public RewardSpec {
 public:
  std::string model;
  std::string separator = "\n";
  StepCredit credit = StepCredit::each;
  std::vector<double> to{0, 1};

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
