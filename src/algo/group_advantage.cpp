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

/// The valid members of each group, in order.
std::map<std::int64_t, std::vector<std::int64_t>> members_of(const at::Tensor& group_S, const at::Tensor& valid_S) {
  const auto groups = group_S.to(at::kLong).contiguous();
  const auto valid = valid_S.defined() ? (valid_S != 0).contiguous() : at::ones(group_S.sizes(), at::kBool);
  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::int64_t s = 0; s < groups.size(0); ++s) {
    auto& list = members[groups.const_data_ptr<std::int64_t>()[s]];
    if (valid.const_data_ptr<bool>()[s]) list.push_back(s);
  }
  return members;
}

/// Fills the baseline, deviation and scale of the members of one group.
void compare(const std::vector<std::int64_t>& list, std::span<const double> own, const GroupAdvantageOptions& options,
             const double* greedy, GroupAdvantages& result) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto skip = options.baseline == GroupBaseline::rloo ? static_cast<std::int64_t>(i) : -1;
    auto [mean, std] = statistics(own, skip, options.unbiased);
    double scale = options.baseline == GroupBaseline::grpo ? 1 / (std + options.epsilon) : 1.0;
    if (options.baseline == GroupBaseline::none) mean = 0;
    if (options.baseline == GroupBaseline::greedy) {
      scale = std::isnan(greedy[list[i]]) ? 0 : 1;
      mean = scale == 0 ? own[i] : greedy[list[i]];
    }
    result.baseline_S.mutable_data_ptr<double>()[list[i]] = mean;
    result.std_S.mutable_data_ptr<double>()[list[i]] = std;
    result.scale_S.mutable_data_ptr<double>()[list[i]] = scale;
  }
}

}  // namespace

GroupAdvantages group_advantage(const at::Tensor& reward_S, const at::Tensor& group_S, const at::Tensor& valid_S,
                                const GroupAdvantageOptions& options, const at::Tensor& greedy_S) {
  HONE_ASSERT(reward_S.dim() == 1 && reward_S.sizes() == group_S.sizes());
  HONE_ASSERT(!valid_S.defined() || valid_S.sizes() == reward_S.sizes());
  HONE_ASSERT(options.baseline != GroupBaseline::greedy || greedy_S.sizes() == reward_S.sizes());
  const auto rewards = reward_S.detach().to(at::kDouble).contiguous();
  const auto greedy = greedy_S.defined() ? greedy_S.to(at::kDouble).contiguous() : rewards;
  GroupAdvantages result;
  result.baseline_S = rewards.clone();
  result.std_S = at::zeros_like(rewards);
  result.scale_S = at::zeros_like(rewards);
  const double* reward = rewards.const_data_ptr<double>();
  const bool compared = compares_members(options.baseline);
  for (const auto& [group, list] : members_of(group_S, valid_S)) {
    std::vector<double> own;
    for (const auto s : list) own.push_back(reward[s]);
    if (own.size() < 2) {
      if (compared || own.empty()) ++result.small_groups;
    } else {
      ++result.groups;
    }
    const bool equal = own.size() >= 2 && *std::ranges::min_element(own) == *std::ranges::max_element(own);
    if (equal) ++result.zero_std_groups;
    if (own.empty() || (compared && (equal || own.size() < 2))) continue;
    compare(list, own, options, greedy.const_data_ptr<double>(), result);
  }
  const auto scaled = (rewards - result.baseline_S) * result.scale_S;
  result.advantage_S = scaled.masked_fill(result.scale_S == 0, 0).to(reward_S.scalar_type());
  return result;
}

}  // namespace hone
