#include "algo/group_advantage.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"

namespace hone {
namespace {

struct Statistics {
  double mean = 0;
  double std = 0;
};

/// Of `rewards` without element `skip` (-1: of all).
Statistics statistics(std::span<const double> rewards, std::int64_t skip, bool unbiased) {
  const auto count = static_cast<std::int64_t>(rewards.size()) - (skip >= 0 ? 1 : 0);
  Statistics result;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (static_cast<std::int64_t>(i) != skip) result.mean += rewards[i] / static_cast<double>(count);
  }
  const auto divisor = unbiased ? count - 1 : count;
  if (divisor < 1) return result;
  double squares = 0;
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (static_cast<std::int64_t>(i) != skip) squares += (rewards[i] - result.mean) * (rewards[i] - result.mean);
  }
  result.std = std::sqrt(squares / static_cast<double>(divisor));
  return result;
}

}  // namespace

GroupAdvantages group_advantage(const at::Tensor& reward_S, const at::Tensor& group_S, const at::Tensor& valid_S,
                                const GroupAdvantageOptions& options) {
  HONE_ASSERT(reward_S.dim() == 1 && reward_S.sizes() == group_S.sizes());
  HONE_ASSERT(!valid_S.defined() || valid_S.sizes() == reward_S.sizes());
  const auto rewards = reward_S.detach().to(at::kDouble).contiguous();
  const auto groups = group_S.to(at::kLong).contiguous();
  const auto valid = valid_S.defined() ? (valid_S != 0).contiguous() : at::ones(reward_S.sizes(), at::kBool);
  auto advantages = at::zeros_like(rewards), baselines = rewards.clone(), deviations = at::zeros_like(rewards);

  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::int64_t s = 0; s < rewards.size(0); ++s) {
    auto& list = members[groups.const_data_ptr<std::int64_t>()[s]];
    if (valid.const_data_ptr<bool>()[s]) list.push_back(s);
  }
  GroupAdvantages result;
  const double* reward = rewards.const_data_ptr<double>();
  for (const auto& [group, list] : members) {
    if (list.size() < 2) {
      ++result.small_groups;
      continue;
    }
    ++result.groups;
    std::vector<double> own;
    for (const auto s : list) own.push_back(reward[s]);
    const auto [low, high] = std::minmax_element(own.begin(), own.end());
    if (*low == *high) {
      ++result.zero_std_groups;
      continue;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto skip = options.baseline == GroupBaseline::rloo ? static_cast<std::int64_t>(i) : -1;
      const auto [mean, std] = statistics(own, skip, options.unbiased);
      const double scale = options.baseline == GroupBaseline::grpo ? std + options.epsilon : 1.0;
      baselines.mutable_data_ptr<double>()[list[i]] = mean;
      deviations.mutable_data_ptr<double>()[list[i]] = std;
      advantages.mutable_data_ptr<double>()[list[i]] = (own[i] - mean) / scale;
    }
  }
  result.advantage_S = advantages.to(reward_S.scalar_type());
  result.baseline_S = baselines;
  result.std_S = deviations;
  return result;
}

}  // namespace hone
