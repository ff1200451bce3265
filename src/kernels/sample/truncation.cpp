#include "kernels/sample/truncation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/sample/front.h"
#include "kernels/sample/sample_cpu.h"

namespace hone::kernels {

namespace {

// Probabilities are float32: a sum that misses top_p, or a ratio that misses min_p, by this share has reached it.
constexpr double rounding = 1e-6;
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The k-th largest block peak: at least k logits are not below it.
float top_k_threshold(const SampleRow& row, std::int64_t k) {
  const std::int64_t blocks = (row.vocabulary + sample_block - 1) / sample_block;
  if (k > blocks) return -infinity;
  std::vector<float> peaks(row.block_peak, row.block_peak + blocks);
  std::nth_element(peaks.begin(), peaks.begin() + (k - 1), peaks.end(), std::greater<>());
  return peaks[static_cast<std::size_t>(k - 1)];
}

float logit_of(const SampleRow& row, double log_probability) {
  return static_cast<float>((log_probability + row.log_sum_exp) / row.inverse_temperature);
}

/// A logit below which the rule certainly keeps nothing: few candidates remain to be ranked.
float safe_threshold(const SampleRow& row, const SampleRule& rule) {
  if (rule.top_k > 0) return top_k_threshold(row, rule.top_k);
  float threshold = -infinity;
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

void gather(const SampleRow& row, float threshold, Candidates& candidates) {
  candidates.id.resize(static_cast<std::size_t>(row.vocabulary));
  const std::int64_t count =
      HONE_SELECT(sample_filter)(row.logits, row.block_peak, row.vocabulary, threshold, candidates.id.data());
  candidates.resize(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < candidates.size(); ++i) candidates.logit[i] = row.logits[candidates.id[i]];
  HONE_SELECT(sample_masses)
  (candidates.logit.data(), count, row.inverse_temperature, row.log_sum_exp, candidates.mass.data());
}

void drop_behind(const Rank& last, Candidates& candidates) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Rank rank{candidates.logit[i], candidates.id[i]};
    const float mass = candidates.mass[i];
    candidates.id[kept] = rank.id;
    candidates.logit[kept] = rank.logit;
    candidates.mass[kept] = mass;
    kept += ranks_before(last, rank) ? 0 : 1;
  }
  candidates.resize(kept);
}

double total_mass(const Candidates& candidates) {
  double total = 0;
  for (const float mass : candidates.mass) total += mass;
  return total;
}

/// The last rank that min_p keeps.
Rank min_p_rank(const SampleRow& row, const Candidates& candidates, float min_p) {
  if (min_p > 1.0F) {
    const auto best = std::find(candidates.logit.begin(), candidates.logit.end(), row.peak);
    return {row.peak, candidates.id[static_cast<std::size_t>(best - candidates.logit.begin())]};
  }
  const double below_peak = (std::log(static_cast<double>(min_p)) - rounding) / row.inverse_temperature;
  const double lowest = static_cast<double>(row.peak) + below_peak;
  float logit = static_cast<float>(lowest);
  if (static_cast<double>(logit) < lowest) logit = std::nextafter(logit, infinity);
  return {std::min(logit, row.peak), std::numeric_limits<std::int32_t>::max()};
}

}  // namespace

void Candidates::resize(std::size_t count) {
  id.resize(count);
  logit.resize(count);
  mass.resize(count);
}

void truncate(const SampleRow& row, const SampleRule& rule, Candidates& kept) {
  gather(row, safe_threshold(row, rule), kept);
  double total = 1;  // without top-k the threshold dropped candidates, but not from the whole they are a part of
  if (rule.top_k > 0) {
    if (kept.size() > static_cast<std::size_t>(rule.top_k)) drop_behind(front_by_count(kept, rule.top_k), kept);
    total = total_mass(kept);
  }
  if (rule.top_p < 1.0F) {
    drop_behind(front_by_mass(kept, static_cast<double>(rule.top_p) * total * (1.0 - rounding)), kept);
  }
  if (rule.min_p > 0.0F) drop_behind(min_p_rank(row, kept, rule.min_p), kept);
}

}  // namespace hone::kernels
