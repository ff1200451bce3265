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
constexpr std::int32_t any_id = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t few_enough_to_rank = 256;

/// The k-th largest block peak: at least k logits are not below it.
float top_k_threshold(const SampleRow& row, std::int64_t k) {
  const std::int64_t blocks = (row.vocabulary + sample_block - 1) / sample_block;
  if (k > blocks) return -infinity;
  std::vector<float> peaks(row.block_peak, row.block_peak + blocks);
  std::nth_element(peaks.begin(), peaks.begin() + (k - 1), peaks.end(), std::greater<>());
  return peaks[static_cast<std::size_t>(k - 1)];
}

/// What of the list has low ≤ logit < high.
void gather(const SampleList& list, float low, float high, Candidates& found) {
  found.make_room(static_cast<std::size_t>(list.count + sample_slack));
  float* const mass = list.mass == nullptr ? nullptr : found.mass.data();
  found.count = static_cast<std::size_t>(
      HONE_SELECT(sample_filter)(list, low, high, found.id.data(), found.logit.data(), mass));
}

SampleList list_of(const SampleRow& row) { return {row.logits, row.term, nullptr, row.block_peak, row.vocabulary}; }

SampleList list_of(const Candidates& candidates) {
  return {candidates.logit.data(), candidates.mass.data(), candidates.id.data(), nullptr,
          static_cast<std::int64_t>(candidates.count)};
}

/// A stretch of the ranking: what has low ≤ logit < high, behind tokens of the mass `before`.
struct Stretch {
  float low;
  float high;
  double before;
};

/// The part of the stretch in which the mass reaches `target`: one of eight of equal width up to `top`, the largest
/// logit that the stretch may have. `list` has all of the stretch.
Stretch narrowed(const SampleList& list, const Stretch& stretch, float top, double target) {
  float threshold[sample_thresholds];
  double sum[sample_thresholds];
  const float width = (top - stretch.low) / static_cast<float>(sample_thresholds);
  for (std::int64_t k = 0; k < sample_thresholds; ++k) {
    threshold[k] = k == 0 ? stretch.low : stretch.low + width * static_cast<float>(k);
  }
  HONE_SELECT(sample_masses_above)(list, threshold, sum);
  std::int64_t k = sample_thresholds - 1;
  while (k > 0 && stretch.before + sum[k] < target) --k;
  if (k + 1 == sample_thresholds) return {threshold[k], stretch.high, stretch.before};
  return {threshold[k], threshold[k + 1], stretch.before + sum[k + 1]};
}

/// The last token of the shortest front of the ranking whose mass reaches the share top_p. Few tokens remain to be
/// ranked: whole passes tell first which logits they can have.
Rank top_p_rank(const SampleRow& row, float top_p) {
  thread_local Candidates lists[2];
  const double target = static_cast<double>(top_p) * row.total * (1.0 - rounding);
  if (target <= 0) return first_of_largest(row);
  // Tokens less likely than this hold less than 1 - top_p together, so top_p is reached without them.
  const double share = (1.0 - static_cast<double>(top_p)) / static_cast<double>(row.vocabulary) * row.total;
  const double lowest = static_cast<double>(row.peak) + (std::log(share) - 0.01) / row.inverse_temperature;
  Stretch stretch{std::min(static_cast<float>(lowest), row.peak), infinity, 0};
  stretch = narrowed(list_of(row), stretch, row.peak, target);
  Candidates* found = &lists[0];
  gather(list_of(row), stretch.low, stretch.high, *found);
  while (found->count > few_enough_to_rank) {
    const std::size_t size = found->count;
    stretch = narrowed(list_of(*found), stretch, std::min(stretch.high, row.peak), target);
    Candidates* const fewer = found == &lists[0] ? &lists[1] : &lists[0];
    gather(list_of(*found), stretch.low, stretch.high, *fewer);
    found = fewer;
    if (found->count > size / 2) break;  // equal logits: no width divides them
  }
  return front_by_mass(*found, target - stretch.before);
}

/// The last rank that min_p keeps.
Rank min_p_rank(const SampleRow& row, float min_p) {
  if (min_p > 1.0F) return first_of_largest(row);
  const double below_peak = (std::log(static_cast<double>(min_p)) - rounding) / row.inverse_temperature;
  const double lowest = static_cast<double>(row.peak) + below_peak;
  float logit = static_cast<float>(lowest);
  if (static_cast<double>(logit) < lowest) logit = std::nextafter(logit, infinity);
  return {std::min(logit, row.peak), any_id};
}

void drop_behind(const Rank& last, Candidates& candidates) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < candidates.count; ++i) {
    const Rank rank{candidates.logit[i], candidates.id[i]};
    candidates.id[kept] = rank.id;
    candidates.logit[kept] = rank.logit;
    kept += ranks_before(last, rank) ? 0 : 1;
  }
  candidates.count = kept;
}

/// The last rank that top-k and then top-p keep.
Rank top_k_rank(const SampleRow& row, const SampleRule& rule) {
  thread_local Candidates candidates;
  SampleList list = list_of(row);
  list.mass = nullptr;
  gather(list, top_k_threshold(row, rule.top_k), infinity, candidates);
  Rank last{-infinity, any_id};
  if (row.vocabulary > rule.top_k) {
    last = front_by_count(candidates, rule.top_k);
    drop_behind(last, candidates);
  }
  if (rule.top_p >= 1.0F) return last;
  HONE_SELECT(sample_masses)
  (candidates.logit.data(), static_cast<std::int64_t>(candidates.count), row.inverse_temperature,
   row.peak * row.inverse_temperature, candidates.mass.data());
  double total = 0;
  for (std::size_t i = 0; i < candidates.count; ++i) total += candidates.mass[i];
  return front_by_mass(candidates, static_cast<double>(rule.top_p) * total * (1.0 - rounding));
}

}  // namespace

void Candidates::make_room(std::size_t size) {
  if (id.size() >= size) return;
  id.resize(size);
  logit.resize(size);
  mass.resize(size);
}

Rank first_of_largest(const SampleRow& row) {
  const std::int64_t blocks = (row.vocabulary + sample_block - 1) / sample_block;
  const float* block = std::find(row.block_peak, row.block_peak + blocks, row.peak);
  const float* start = row.logits + (block - row.block_peak) * sample_block;
  return {row.peak, static_cast<std::int32_t>(std::find(start, row.logits + row.vocabulary, row.peak) - row.logits)};
}

Rank last_kept(const SampleRow& row, const SampleRule& rule) {
  Rank last{-infinity, any_id};
  if (rule.top_k > 0) {
    last = top_k_rank(row, rule);
  } else if (rule.top_p < 1.0F) {
    last = top_p_rank(row, rule.top_p);
  }
  if (rule.min_p > 0.0F) {
    const Rank least = min_p_rank(row, rule.min_p);
    if (ranks_before(least, last)) last = least;
  }
  return last;
}

}  // namespace hone::kernels
