#include "predict/scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace hone {
namespace {

void refuse_nan(std::span<const float> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]))
      fail(ErrorKind::data, "logit {} of {} is not a number: the model's weights are broken", i, logits.size());
  }
}

}  // namespace

std::vector<float> softmax(std::span<const float> logits) {
  HONE_ASSERT(!logits.empty());
  refuse_nan(logits);
  const double peak = *std::max_element(logits.begin(), logits.end());
  std::vector<double> masses;
  masses.reserve(logits.size());
  for (const float logit : logits) masses.push_back(std::exp(logit - peak));
  const double sum = std::accumulate(masses.begin(), masses.end(), 0.0);
  std::vector<float> scores;
  scores.reserve(logits.size());
  for (const double mass : masses) scores.push_back(static_cast<float>(mass / sum));
  return scores;
}

std::vector<float> sigmoid(std::span<const float> logits) {
  refuse_nan(logits);
  std::vector<float> scores;
  for (const float logit : logits)
    scores.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(logit)))));
  return scores;
}

std::vector<std::size_t> greatest(std::span<const float> values, std::size_t count) {
  std::vector<std::size_t> places(values.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  const std::size_t kept = count == 0 ? places.size() : std::min(count, places.size());
  std::partial_sort(
      places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept), places.end(),
      [&](std::size_t a, std::size_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  places.resize(kept);
  return places;
}

}  // namespace hone
