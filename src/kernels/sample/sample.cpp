#include "kernels/sample/sample.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
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
  std::vector<float> term;
};

Workspace& workspace_of_thread() {
  thread_local Workspace workspace;
  return workspace;
}

std::int64_t blocks_of(std::int64_t vocabulary) { return (vocabulary + sample_block - 1) / sample_block; }

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

struct Drawn {
  std::int32_t id;
  double share;  ///< of the kept mass
};

/// Inverse transform over the kept tokens: the block first, then the token within it. `block_mass` is theirs.
Drawn draw(const SampleCut& cut, const float* block_mass, double uniform) {
  const std::int64_t blocks = blocks_of(cut.count);
  const double total = total_of(block_mass, blocks);
  double target = uniform * total;
  const std::int64_t start = locate(block_mass, blocks, target) * sample_block;
  float term[sample_block];
  const std::int64_t count = std::min(sample_block, cut.count - start);
  HONE_SELECT(sample_kept_terms)(cut, start, start + count, term);
  const std::int64_t place = locate(term, count, target);
  return {static_cast<std::int32_t>(start + place), static_cast<double>(term[place]) / total};
}

/// What logits are multiplied by; greedy: as at temperature 1.
float inverse_of(float temperature) {
  return temperature == 0.0F ? 1.0F : static_cast<float>(1.0 / static_cast<double>(temperature));
}

/// Returns false when the logits have no distribution.
bool sample_row(const float* logits, std::int64_t vocabulary, const SampleRule& rule, double uniform, Sampled& out) {
  Workspace& workspace = workspace_of_thread();
  const std::int64_t blocks = blocks_of(vocabulary);
  const bool truncates = rule.truncates();
  const bool keeps_terms = truncates && rule.top_k == 0;
  workspace.block_peak.resize(static_cast<std::size_t>(blocks));
  workspace.block_mass.resize(static_cast<std::size_t>(blocks));
  if (keeps_terms && workspace.term.size() < static_cast<std::size_t>(vocabulary)) {
    workspace.term.resize(static_cast<std::size_t>(vocabulary));
  }
  float* const block_mass = workspace.block_mass.data();
  const RowTrace trace{workspace.block_peak.data(), block_mass, keeps_terms ? workspace.term.data() : nullptr};
  const float inverse_temperature = inverse_of(rule.temperature);
  const float log_sum_exp = HONE_SELECT(row_scan)(logits, vocabulary, inverse_temperature, trace);
  if (!std::isfinite(log_sum_exp)) return false;
  SampleRow row{logits, vocabulary, inverse_temperature, trace.peak, trace.term};
  row.peak = *std::max_element(trace.peak, trace.peak + blocks);
  const auto logprob = [&](std::int32_t id) {
    return HONE_SELECT(row_logprob)(logits, id, inverse_temperature, log_sum_exp);
  };
  if (rule.temperature == 0.0F) {
    out.id = first_of_largest(row).id;
    out.logprob = logprob(out.id);
    out.sampler_logprob = 0;
    return true;
  }
  Rank last{-std::numeric_limits<float>::infinity(), std::numeric_limits<std::int32_t>::max()};
  if (truncates) {
    row.total = total_of(block_mass, blocks);
    last = last_kept(row, rule);
  }
  const SampleCut cut{logits,     vocabulary, inverse_temperature, row.peak * inverse_temperature,
                      trace.peak, trace.term, last.logit,          last.id};
  if (truncates) HONE_SELECT(sample_kept_masses)(cut, block_mass);
  const Drawn drawn = draw(cut, block_mass, uniform);
  out.id = drawn.id;
  out.logprob = logprob(drawn.id);
  out.sampler_logprob = truncates ? static_cast<float>(std::log(drawn.share)) : out.logprob;
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
