#include "kernels/sample/front.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hone::kernels {

namespace {

constexpr std::size_t few_enough_to_rank = 64;
constexpr std::ptrdiff_t few_enough_to_sort = 16;
constexpr int bucket_count = 1024;
constexpr float deepest = 60.0F;  // nats below the peak: what lies deeper shares a bucket

struct Weighted {
  Rank rank;
  double weight;
};

bool ahead(const Weighted& a, const Weighted& b) { return ranks_before(a.rank, b.rank); }

/// Quickselect by weight, linear on average. Needs at least one item.
Rank select_front(std::vector<Weighted>& items, double target) {
  Weighted* low = items.data();
  Weighted* high = low + items.size();
  double before = 0;  // weight of [data, low), which is below the target
  while (high - low > few_enough_to_sort) {
    Weighted* middle = low + (high - low) / 2;
    std::nth_element(low, middle, high, ahead);
    double left = 0;
    for (const Weighted* item = low; item != middle; ++item) left += item->weight;
    if (before + left >= target) {
      high = middle;
    } else {
      before += left;
      low = middle;
    }
  }
  std::sort(low, high, ahead);
  for (; low + 1 < high; ++low) {
    before += low->weight;
    if (before >= target) break;
  }
  return low->rank;
}

/// Equal slices of the range of logits, the highest first. The order of buckets follows that of logits.
class Buckets {
 public:
  explicit Buckets(const Candidates& candidates) {
    const float* const logits = candidates.logit.data();
    const auto [lowest, highest] = std::minmax_element(logits, logits + candidates.count);
    highest_ = *highest;
    const float range = std::min(*highest - *lowest, deepest);
    scale_ = range > 0 ? static_cast<float>(bucket_count) / range : 0.0F;
  }
  int of(float logit) const {
    const float place = (highest_ - logit) * scale_;
    return place < static_cast<float>(bucket_count - 1) ? static_cast<int>(place) : bucket_count - 1;
  }

 private:
  float highest_;
  float scale_;
};

/// Finds the bucket in which the target is reached, then ranks that bucket alone.
template <class Weight>
Rank front(const Candidates& candidates, double target, const Weight& weight_of) {
  const std::size_t count = candidates.count;
  std::vector<Weighted> items;
  if (count <= few_enough_to_rank) {
    items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) items.push_back({{candidates.logit[i], candidates.id[i]}, weight_of(i)});
    return select_front(items, target);
  }
  const Buckets buckets(candidates);
  double weight[bucket_count] = {};
  int size[bucket_count] = {};
  for (std::size_t i = 0; i < count; ++i) {
    const int bucket = buckets.of(candidates.logit[i]);
    weight[bucket] += weight_of(i);
    ++size[bucket];
  }
  double before = 0;
  int chosen = -1;
  for (int b = 0; b < bucket_count; ++b) {
    if (size[b] == 0) continue;
    if (chosen >= 0) before += weight[chosen];
    chosen = b;
    if (before + weight[b] >= target) break;
  }
  items.reserve(static_cast<std::size_t>(size[chosen]));
  for (std::size_t i = 0; i < count; ++i) {
    if (buckets.of(candidates.logit[i]) != chosen) continue;
    items.push_back({{candidates.logit[i], candidates.id[i]}, weight_of(i)});
  }
  return select_front(items, target - before);
}

}  // namespace

Rank front_by_count(const Candidates& candidates, std::int64_t count) {
  return front(candidates, static_cast<double>(count), [](std::size_t) { return 1.0; });
}

Rank front_by_mass(const Candidates& candidates, double mass) {
  return front(candidates, mass, [&](std::size_t i) { return static_cast<double>(candidates.mass[i]); });
}

}  // namespace hone::kernels
