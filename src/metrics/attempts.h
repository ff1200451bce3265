#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace hone {

/// The chance that one of k attempts is right, estimated without bias from `right` of `attempts` ≥ k ≥ 1 (Chen et al.
/// 2021): 1 − C(attempts − right, k) / C(attempts, k).
double pass_at_k(std::int64_t attempts, std::int64_t right, std::int64_t k);

/// Which attempt majority voting takes (self-consistency, Wang et al. 2022): the first one of the most frequent answer;
/// of several as frequent the one seen first. Empty answers have no vote. `answers` is not empty; 0 when all are empty.
std::size_t majority(std::span<const std::string> answers);

struct Judgements {
  std::int64_t wins = 0;
  std::int64_t ties = 0;
  std::int64_t losses = 0;
  /// Ties are half a win; 0.5 without judgements.
  double win_rate() const;
};

/// Distinct n-grams of all texts together, as a share of all their n-grams (Li et al. 2016); words stand between white
/// space. 0 without n-grams.
double distinct_n(std::span<const std::string> texts, std::size_t n);

}  // namespace hone
