#include "kernels/sample/truncation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/sample/sample_cpu.h"

namespace hone::kernels {

namespace {

// Probabilities are float32: a sum that misses top_p, or a ratio that misses min_p, by this share has reached it.
constexpr double rounding = 1e-6;
constexpr float no_threshold = -std::numeric_limits<float>::infinity();
constexpr std::ptrdiff_t small_enough_to_sort = 32;

bool ranks_before(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

/// The k-th largest block peak: at least k logits are not below it.
float top_k_threshold(const SampleRow& row, std::int64_t k, std::vector<float>& peaks) {
  const std::int64_t blocks = (row.vocabulary + sample_block - 1) / sample_block;
  if (k > blocks) return no_threshold;
  peaks.assign(row.block_peak, row.block_peak + blocks);
  std::nth_element(peaks.begin(), peaks.begin() + (k - 1), peaks.end(), std::greater<>());
  return peaks[static_cast<std::size_t>(k - 1)];
}

float logit_of(const SampleRow& row, double log_probability) {
  return static_cast<float>((log_probability + row.log_sum_exp) / row.inverse_temperature);
}

/// A logit below which the rule certainly keeps nothing: few candidates remain to be ranked.
float safe_threshold(const SampleRow& row, const SampleRule& rule, TruncationWorkspace& workspace) {
  if (rule.top_k > 0) return top_k_threshold(row, rule.top_k, workspace.peaks);
  float threshold = no_threshold;
  if (rule.top_p < 1.0F) {
    // Tokens less likely than this hold less than 1 - top_p together, so top_p is reached without them.
    const double share = (1.0 - static_cast<double>(rule.top_p)) / static_cast<double>(row.vocabulary);
    threshold = std::max(threshold, logit_of(row, std::log(share) - 0.01));
  }
  if (rule.min_p > 0.0F) {
    const double peak = static_cast<double>(row.peak) * row.inverse_temperature - row.log_sum_exp;
    threshold = std::max(threshold, logit_of(row, peak + std::log(static_cast<double>(rule.min_p)) - 0.01));
  }
  return std::min(threshold, row.peak);
}

void gather(const SampleRow& row, float threshold, TruncationWorkspace& workspace) {
  workspace.id.resize(static_cast<std::size_t>(row.vocabulary));
  const std::int64_t count =
      HONE_SELECT(sample_filter)(row.logits, row.block_peak, row.vocabulary, threshold, workspace.id.data());
  const auto size = static_cast<std::size_t>(count);
  workspace.id.resize(size);
  workspace.logit.resize(size);
  workspace.mass.resize(size);
  workspace.ranked.resize(size);
  for (std::size_t i = 0; i < size; ++i) workspace.logit[i] = row.logits[workspace.id[i]];
  HONE_SELECT(sample_masses)
  (workspace.logit.data(), count, row.inverse_temperature, row.log_sum_exp, workspace.mass.data());
  for (std::size_t i = 0; i < size; ++i) {
    workspace.ranked[i] = {workspace.logit[i], workspace.id[i], workspace.mass[i]};
  }
}

void keep_top_k(std::vector<Candidate>& ranked, std::size_t k) {
  if (ranked.size() <= k) return;
  std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(k - 1), ranked.end(), ranks_before);
  ranked.resize(k);
}

double mass_of(const Candidate* begin, const Candidate* end) {
  double sum = 0;
  for (; begin != end; ++begin) sum += begin->mass;
  return sum;
}

/// Keeps the shortest front whose mass reaches `target`: quickselect by mass, linear on average.
void keep_top_p(std::vector<Candidate>& ranked, double target) {
  Candidate* low = ranked.data();  // the front [data, low) holds `mass` < target
  Candidate* high = low + ranked.size();
  double mass = 0;
  while (high - low > small_enough_to_sort) {
    Candidate* middle = low + (high - low) / 2;
    std::nth_element(low, middle, high, ranks_before);
    const double left = mass_of(low, middle);
    if (mass + left >= target) {
      high = middle;
    } else {
      mass += left;
      low = middle;
    }
  }
  std::sort(low, high, ranks_before);
  while (low < high) {
    mass += low->mass;
    ++low;
    if (mass >= target) break;
  }
  ranked.resize(static_cast<std::size_t>(low - ranked.data()));
}

void keep_min_p(const SampleRow& row, std::vector<Candidate>& ranked, float min_p) {
  std::nth_element(ranked.begin(), ranked.begin(), ranked.end(), ranks_before);
  if (min_p > 1.0F) {
    ranked.resize(1);
    return;
  }
  const double lowest = std::log(static_cast<double>(min_p)) - rounding;
  const auto dropped = std::remove_if(ranked.begin() + 1, ranked.end(), [&](const Candidate& candidate) {
    return (static_cast<double>(candidate.logit) - row.peak) * row.inverse_temperature < lowest;
  });
  ranked.erase(dropped, ranked.end());
}

/// Drops from the ascending arrays what ranks behind the last kept candidate.
void drop_behind(const Candidate& last, TruncationWorkspace& workspace) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < workspace.id.size(); ++i) {
    const Candidate candidate{workspace.logit[i], workspace.id[i], workspace.mass[i]};
    if (ranks_before(last, candidate)) continue;
    workspace.id[kept] = candidate.id;
    workspace.logit[kept] = candidate.logit;
    workspace.mass[kept] = candidate.mass;
    ++kept;
  }
  workspace.id.resize(kept);
  workspace.logit.resize(kept);
  workspace.mass.resize(kept);
}

}  // namespace

void truncate(const SampleRow& row, const SampleRule& rule, TruncationWorkspace& workspace) {
  gather(row, safe_threshold(row, rule, workspace), workspace);
  std::vector<Candidate>& ranked = workspace.ranked;
  double total = 1;  // the threshold may have dropped candidates, but not from the whole they are a part of
  if (rule.top_k > 0) {
    keep_top_k(ranked, static_cast<std::size_t>(rule.top_k));
    total = mass_of(ranked.data(), ranked.data() + ranked.size());
  }
  if (rule.top_p < 1.0F) keep_top_p(ranked, static_cast<double>(rule.top_p) * total * (1.0 - rounding));
  if (rule.min_p > 0.0F) keep_min_p(row, ranked, rule.min_p);
  drop_behind(*std::max_element(ranked.begin(), ranked.end(), ranks_before), workspace);
}

}  // namespace hone::kernels
