#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hone::kernels {

/// What a row of logits is changed by before a token is drawn from it.
struct LogitRules {
  /// For tokens of the prompt or the completion: logit / penalty where it is positive, · penalty where it is not
  /// (Keskar et al., "CTRL", 2019). 1: off.
  float repetition_penalty = 1.0F;
  /// Subtracted from the logits of tokens that the completion has; negative values favour them.
  float presence_penalty = 0.0F;
  /// … as many times as it has them.
  float frequency_penalty = 0.0F;
  std::vector<std::pair<std::int32_t, float>> bias;  ///< (id, added to its logit)
  std::int32_t no_repeat_ngram_size = 0;             ///< no run of so many ids twice in prompt and completion; 0: off
  std::vector<std::vector<std::int32_t>>
      bad_words;                    ///< runs of ids that may not be completed; a lone eos is no bad word
  std::int32_t min_new_tokens = 0;  ///< no eos before
  std::vector<std::int32_t> eos;

  /// Whether there is anything to do.
  bool active() const;
};

/// The ids that a completion continues and those it has. One a slot, or a beam.
class TokenHistory {
 public:
  explicit TokenHistory(std::span<const std::int32_t> prompt);
  void append(std::int32_t id);

  std::span<const std::int32_t> ids() const { return ids_; }
  std::int64_t generated() const { return static_cast<std::int64_t>(ids_.size() - prompt_); }
  /// How often the completion has each id; ids of the prompt alone are there with 0.
  const std::unordered_map<std::int32_t, std::int32_t>& counts() const { return counts_; }

 private:
  std::vector<std::int32_t> ids_;
  std::size_t prompt_ = 0;
  std::unordered_map<std::int32_t, std::int32_t> counts_;
};

/// Changes a row of logits (or of log-probabilities, in beam search): bias, penalties, banned tokens (as transformers
/// orders them), then everything outside the mask becomes -inf. `allowed` has a bit an id, id % 64 of word id / 64, and
/// refuses ids beyond its end; without words everything is allowed. Where bans leave no token that is allowed, they are
/// lifted: the mask alone then decides. Ids outside the row are ignored. A function of its arguments alone.
void apply_logit_rules(const LogitRules& rules, const TokenHistory& history, std::span<const std::uint64_t> allowed,
                       std::span<float> row);

/// The last part alone: -inf outside the mask. Returns whether a logit above -inf is left.
bool apply_allowed(std::span<const std::uint64_t> allowed, std::span<float> row);

}  // namespace hone::kernels
