#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "kernels/oracle.h"
#include "kernels/sample/sample.h"

/// Truncated sampling by sorting the whole row in double precision.
namespace hone::test {

/// Probability of each id that the rule keeps.
inline std::map<std::int32_t, double> kept_by_sorting(const at::Tensor& logits_V, const kernels::SampleRule& rule) {
  const at::Tensor row = (logits_V.to(at::kDouble) / static_cast<double>(rule.temperature)).softmax(0).contiguous();
  const double* probability = row.const_data_ptr<double>();
  const float* logit = logits_V.const_data_ptr<float>();
  std::vector<std::int32_t> order(static_cast<std::size_t>(row.size(0)));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return logit[a] > logit[b]; });
  const auto total = [&] {
    return std::accumulate(order.begin(), order.end(), 0.0,
                           [&](double sum, std::int32_t id) { return sum + probability[id]; });
  };
  if (rule.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(rule.top_k)));
  if (rule.top_p < 1.0F) {
    const double target = static_cast<double>(rule.top_p) * total() * (1 - 1e-6);
    double sum = probability[order[0]];
    std::size_t kept = 1;
    for (; kept < order.size() && sum < target; ++kept) sum += probability[order[kept]];
    order.resize(kept);
  }
  while (order.size() > 1 &&
         probability[order.back()] < static_cast<double>(rule.min_p) * (1 - 1e-6) * probability[order[0]]) {
    order.pop_back();
  }
  std::map<std::int32_t, double> kept;
  const double mass = total();
  for (const std::int32_t id : order) kept[id] = probability[id] / mass;
  return kept;
}

/// The same row drawn once for each uniform.
inline std::vector<kernels::Sampled> sample_many(const at::Tensor& logits_V, const kernels::SampleRule& rule,
                                                 const std::vector<double>& uniform) {
  const auto count = static_cast<std::int64_t>(uniform.size());
  const std::vector<kernels::SampleRule> rules(uniform.size(), rule);
  std::vector<kernels::Sampled> out(uniform.size());
  kernels::sample(logits_V.unsqueeze(0).expand({count, logits_V.size(0)}).contiguous(), rules, uniform, out);
  return out;
}

/// Probability of each id that sampling reaches, found by drawing at `points` uniforms.
inline std::map<std::int32_t, double> kept_by_sampling(const at::Tensor& logits_V, const kernels::SampleRule& rule,
                                                       int points) {
  std::vector<double> uniform;
  for (int i = 0; i < points; ++i) uniform.push_back((i + 0.5) / points);
  std::map<std::int32_t, double> kept;
  for (const kernels::Sampled& drawn : sample_many(logits_V, rule, uniform)) {
    kept[drawn.id] = std::exp(static_cast<double>(drawn.sampler_logprob));
  }
  return kept;
}

}  // namespace hone::test
