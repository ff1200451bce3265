#include "algo/gae.h"

#include <cstdint>

#include "base/error.h"

namespace hone {
namespace {

at::Tensor plain(const at::Tensor& stream, at::ScalarType type) { return stream.detach().to(type).contiguous(); }

}  // namespace

Advantages gae(const at::Tensor& reward_T, const at::Tensor& value_T, const at::Tensor& start_S1,
               const at::Tensor& mask_T, const at::Tensor& truncated_S, const GaeOptions& options) {
  HONE_ASSERT(reward_T.sizes() == mask_T.sizes() && value_T.sizes() == mask_T.sizes());
  HONE_ASSERT(!options.bootstrap_truncated || truncated_S.size(0) == start_S1.size(0) - 1);
  const auto rewards = plain(reward_T, at::kDouble), values = plain(value_T, at::kDouble);
  const auto actions = plain(mask_T != 0, at::kBool), starts = plain(start_S1, at::kLong);
  const auto truncated = options.bootstrap_truncated ? plain(truncated_S, at::kBool) : at::Tensor();
  auto advantages = at::zeros_like(values), returns = at::zeros_like(values);

  const double* reward = rewards.const_data_ptr<double>();
  const double* value = values.const_data_ptr<double>();
  const bool* action = actions.const_data_ptr<bool>();
  const auto* start = starts.const_data_ptr<std::int64_t>();
  double* advantage = advantages.mutable_data_ptr<double>();
  double* target = returns.mutable_data_ptr<double>();
  for (std::int64_t s = 0; s + 1 < starts.size(0); ++s) {
    double next_value = 0, next_advantage = 0;
    bool last = true;
    for (std::int64_t t = start[s + 1] - 1; t >= start[s]; --t) {
      if (!action[t]) continue;
      if (last && truncated.defined() && truncated.const_data_ptr<bool>()[s]) {
        HONE_ASSERT(t + 1 < start[s + 1]);
        next_value = value[t + 1];
      }
      last = false;
      const double delta = reward[t] + options.gamma * next_value - value[t];
      advantage[t] = delta + options.gamma * options.lambda * next_advantage;
      target[t] = advantage[t] + value[t];
      next_value = value[t];
      next_advantage = advantage[t];
    }
  }
  const auto type = value_T.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return {advantages.to(type), returns.to(type)};
}

}  // namespace hone
