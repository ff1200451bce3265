#pragma once

#include <optional>
#include <span>

namespace hone {

// Each is none when there are fewer than two pairs or one side is constant. The sides are equally long and finite.

/// Pearson's r.
std::optional<double> pearson(std::span<const double> a, std::span<const double> b);
/// Spearman's ρ: r of the ranks, equal values sharing theirs.
std::optional<double> spearman(std::span<const double> a, std::span<const double> b);
/// Kendall's τ_b. O(n log n).
std::optional<double> kendall(std::span<const double> a, std::span<const double> b);

}  // namespace hone
