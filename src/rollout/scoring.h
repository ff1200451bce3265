#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// The rewards of a run and their weighted sum.
///
/// score = Σ weight · value over the rewards that do not abstain, without renormalising. One error makes the episode an
/// error; so do abstentions by all, and values or sums that are not finite. Parts hold every reward's own value by name.
class RewardSum {
 public:
  /// Error{config} when there is no reward.
  RewardSum(const std::vector<std::unique_ptr<RewardSpec>>& specs, const Services& services);

  /// Fills `score` of each episode. Episodes of a group are adjacent. An exception of a reward becomes an error of
  /// every episode of that call, with the exception's text as note.
  void score(std::span<Episode> episodes);

  std::vector<std::string> names() const;

 private:
  struct Part {
    std::string name;
    double weight;
    std::unique_ptr<Reward> reward;
  };
  std::vector<Part> parts_;
};

/// Episodes whose score is an error.
std::int64_t count_errors(std::span<const Episode> episodes);

/// Error{service} when more than `largest_share` of the episodes failed: names the share and the first note.
void check_error_share(std::span<const Episode> episodes, double largest_share);

}  // namespace hone
