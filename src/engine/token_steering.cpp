#include "engine/token_steering.h"

#include <algorithm>
#include <limits>

namespace hone {

TokenSteering::TokenSteering(const kernels::LogitRules& rules, const Request& request)
    : rules_(&rules), constraint_(request.constraint) {
  if (rules.active()) history_.emplace(std::span(request.context).first(request.context.size() - request.written));
  if (constraint_ != nullptr) state_ = constraint_->start();
}

void TokenSteering::apply(std::span<float> row) const {
  if (constraint_ != nullptr && state_ < 0) {
    std::ranges::fill(row, -std::numeric_limits<float>::infinity());
    return;
  }
  std::span<const std::uint64_t> allowed;
  if (constraint_ != nullptr) allowed = constraint_->allowed(state_);
  if (history_) {
    kernels::apply_logit_rules(*rules_, *history_, allowed, row);
  } else if (constraint_ != nullptr) {
    kernels::apply_allowed(allowed, row);
  }
}

void TokenSteering::accept(std::int32_t id) {
  if (history_) history_->append(id);
  if (constraint_ != nullptr && state_ >= 0) state_ = constraint_->advance(state_, id);
}

bool TokenSteering::complete() const {
  if (constraint_ == nullptr) return false;
  return state_ == Constraint::kEnded || (state_ >= 0 && constraint_->finished(state_));
}

}  // namespace hone
