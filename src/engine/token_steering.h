#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/request.h"
#include "kernels/logit_rules/logit_rules.h"

namespace hone {

/// What changes the logits of one completion before a token is drawn: the rules of the call and the constraint of its
/// request. A copy goes on from the same place: beams have one each.
class TokenSteering {
 public:
  /// `rules` must outlive it.
  TokenSteering(const kernels::LogitRules& rules, const Request& request);

  /// Whether there is anything to apply.
  bool active() const { return history_.has_value() || constraint_ != nullptr; }
  /// Changes a row of logits or of log-probabilities; behind a token that was not allowed everything is -inf.
  void apply(std::span<float> row) const;
  /// The completion goes on with this token.
  void accept(std::int32_t id);
  /// Whether the text matches and nothing may follow.
  bool complete() const;

 private:
  const kernels::LogitRules* rules_;
  std::optional<kernels::TokenHistory> history_;  ///< none where the rules do nothing
  std::shared_ptr<const Constraint> constraint_;
  std::int32_t state_ = 0;
};

}  // namespace hone
