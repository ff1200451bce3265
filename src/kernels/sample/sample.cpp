#include "kernels/sample/sample.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/lm_head/row_cpu.h"
#include "kernels/sample/sample_cpu.h"
#include "kernels/sample/truncation.h"

namespace hone::kernels {

namespace {

struct Workspace {
  std::vector<float> block_peak;
  std::vector<float> block_mass;
  Candidates kept;
};

Workspace& workspace_of_thread() {
  thread_local Workspace workspace;
  return workspace;
}

std::int64_t blocks_of(std::int64_t vocabulary) { return (vocabulary + sample_block - 1) / sample_block; }

std::int32_t first_of_largest(const SampleRow& row) {
  const float* block = std::find(row.block_peak, row.block_peak + blocks_of(row.vocabulary), row.peak);
  const float* start = row.logits + (block - row.block_peak) * sample_block;
  return static_cast<std::int32_t>(std::find(start, row.logits + row.vocabulary, row.peak) - row.logits);
}

/// Index of the first mass at which the running sum exceeds `target`, which becomes what is left of it there. When
/// rounding keeps the sum below the target: the last index with any mass.
std::int64_t locate(const float* mass, std::int64_t count, double& target) {
  double before = 0;
  std::int64_t last = 0;
  double before_last = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (mass[i] <= 0.0F) continue;
    last = i;
    before_last = before;
    before += mass[i];
    if (before > target) break;
  }
  target -= before_last;
  return last;
}

double total_of(const float* mass, std::int64_t count) {
  double total = 0;
  for (std::int64_t i = 0; i < count; ++i) total += mass[i];
  return total;
}

/// Inverse transform over the whole row: the block first, then the token within it.
std::int32_t draw(const SampleRow& row, double uniform, std::vector<float>& block_mass) {
  const std::int64_t blocks = blocks_of(row.vocabulary);
  block_mass.resize(static_cast<std::size_t>(blocks));
  HONE_SELECT(sample_block_masses)
  (row.logits, row.vocabulary, row.inverse_temperature, row.log_sum_exp, block_mass.data());
  double target = uniform * total_of(block_mass.data(), blocks);
  const std::int64_t start = locate(block_mass.data(), blocks, target) * sample_block;
  float mass[sample_block];
  const std::int64_t count = std::min(sample_block, row.vocabulary - start);
  HONE_SELECT(sample_masses)(row.logits + start, count, row.inverse_temperature, row.log_sum_exp, mass);
  return static_cast<std::int32_t>(start + locate(mass, count, target));
}

/// What logits are multiplied by; greedy: as at temperature 1.
float inverse_of(float temperature) {
  return temperature == 0.0F ? 1.0F : static_cast<float>(1.0 / static_cast<double>(temperature));
}

/// Returns false when the logits have no distribution.
bool sample_row(const float* logits, std::int64_t vocabulary, const SampleRule& rule, double uniform, Sampled& out) {
  Workspace& workspace = workspace_of_thread();
  const bool greedy = rule.temperature == 0.0F;
  SampleRow row{logits, vocabulary};
  row.inverse_temperature = inverse_of(rule.temperature);
  row.log_sum_exp = HONE_SELECT(row_log_sum_exp)(logits, vocabulary, row.inverse_temperature);
  if (!std::isfinite(row.log_sum_exp)) return false;
  if (greedy || rule.truncates()) {
    workspace.block_peak.resize(static_cast<std::size_t>(blocks_of(vocabulary)));
    HONE_SELECT(sample_peaks)(logits, vocabulary, workspace.block_peak.data());
    row.block_peak = workspace.block_peak.data();
    row.peak = *std::max_element(workspace.block_peak.begin(), workspace.block_peak.end());
  }
  const auto logprob = [&](std::int32_t id) {
    return HONE_SELECT(row_logprob)(logits, id, row.inverse_temperature, row.log_sum_exp);
  };
  if (greedy) {
    out.id = first_of_largest(row);
    out.logprob = logprob(out.id);
    out.sampler_logprob = 0;
  } else if (!rule.truncates()) {
    out.id = draw(row, uniform, workspace.block_mass);
    out.logprob = logprob(out.id);
    out.sampler_logprob = out.logprob;
  } else {
    Candidates& kept = workspace.kept;
    truncate(row, rule, kept);
    const auto count = static_cast<std::int64_t>(kept.id.size());
    const double total = total_of(kept.mass.data(), count);
    double target = uniform * total;
    const auto chosen = static_cast<std::size_t>(locate(kept.mass.data(), count, target));
    out.id = kept.id[chosen];
    out.logprob = logprob(out.id);
    out.sampler_logprob = static_cast<float>(std::log(static_cast<double>(kept.mass[chosen]) / total));
  }
  return true;
}

}  // namespace

float token_logprob(const float* logits, std::int64_t vocabulary, std::int32_t id, float temperature) {
  HONE_ASSERT(id >= 0 && id < vocabulary);
  const float inverse_temperature = inverse_of(temperature);
  const float log_sum_exp = HONE_SELECT(row_log_sum_exp)(logits, vocabulary, inverse_temperature);
  return HONE_SELECT(row_logprob)(logits, id, inverse_temperature, log_sum_exp);
}

void sample(const at::Tensor& logits_BV, std::span<const SampleRule> rules, std::span<const double> uniform_B,
            std::span<Sampled> out_B) {
  HONE_ASSERT(logits_BV.dim() == 2 && logits_BV.scalar_type() == at::kFloat && logits_BV.is_contiguous() &&
              logits_BV.device().is_cpu());
  const std::int64_t rows = logits_BV.size(0);
  const std::int64_t vocabulary = logits_BV.size(1);
  const auto size = static_cast<std::size_t>(rows);
  HONE_ASSERT(rules.size() == size && uniform_B.size() == size && out_B.size() == size);
  HONE_ASSERT(rows == 0 || vocabulary > 0);
  for (std::size_t b = 0; b < size; ++b) {
    HONE_ASSERT(rules[b].temperature >= 0.0F && rules[b].top_k >= 0 && rules[b].top_p >= 0.0F &&
                rules[b].min_p >= 0.0F);
    HONE_ASSERT(uniform_B[b] >= 0.0 && uniform_B[b] < 1.0);
  }
  const float* logits = logits_BV.const_data_ptr<float>();
  std::atomic<std::int64_t> first_bad{rows};
  parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const auto i = static_cast<std::size_t>(b);
      if (sample_row(logits + b * vocabulary, vocabulary, rules[i], uniform_B[i], out_B[i])) continue;
      std::int64_t known = first_bad.load();
      while (b < known && !first_bad.compare_exchange_weak(known, b)) {
      }
    }
  });
  if (first_bad < rows) {
    fail(ErrorKind::data,
         "sample: the logits of row {} of {} are NaN or infinite at temperature {}, expected numbers. The model has "
         "diverged: go back to an earlier checkpoint or lower the learning rate.",
         first_bad.load(), rows, rules[static_cast<std::size_t>(first_bad.load())].temperature);
  }
}

}  // namespace hone::kernels
