#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/attention/attention_schedule.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

/// A sequence in two passes, one for queries and one for keys, costs seven products of blocks instead of five.
constexpr double two_passes = 1.4;
constexpr std::int64_t part_rows = 4 * kv_page;

/// The whole sequence in one unit, or in parts that no longer bound the time of the whole call.
void add_units(std::vector<AttentionGradientUnit>& units, const AttentionSequence& sequence, std::int64_t kv_head,
               bool in_parts, float* dbias) {
  if (!in_parts) {
    units.push_back({&sequence, kv_head, 0, sequence.rows, 0, sequence.keys, true, true, dbias});
    return;
  }
  for (std::int64_t key = 0; key < sequence.keys; key += part_rows) {
    const std::int64_t end = std::min(key + part_rows, sequence.keys);
    units.push_back({&sequence, kv_head, 0, sequence.rows, key, end, false, true, nullptr});
  }
  for (std::int64_t query = 0; query < sequence.rows; query += part_rows) {
    const std::int64_t end = std::min(query + part_rows, sequence.rows);
    units.push_back({&sequence, kv_head, query, end, 0, sequence.keys, true, false, nullptr});
  }
}

/// Sums run in the same order however sequences are cut, but for biases: with them a sequence is one unit.
std::vector<AttentionGradientUnit> units_of(const AttentionSchedule& schedule, std::int64_t kv_heads, float* dbias,
                                            std::int64_t dbias_stride) {
  const auto pairs = [](const AttentionSequence& s) {
    return static_cast<double>(s.rows) * static_cast<double>(s.keys);
  };
  double total = 0;
  for (const AttentionSequence& sequence : schedule.sequences) total += pairs(sequence);
  const double bound = two_passes * total * static_cast<double>(kv_heads) / threads();
  std::vector<AttentionGradientUnit> units;
  for (std::size_t s = 0; s < schedule.sequences.size(); ++s) {
    const AttentionSequence& sequence = schedule.sequences[s];
    const bool is_long = std::max(sequence.rows, sequence.keys) > part_rows;
    const bool in_parts = dbias == nullptr && is_long && pairs(sequence) > bound;
    for (std::int64_t head = 0; head < kv_heads; ++head) {
      add_units(units, sequence, head, in_parts,
                dbias == nullptr ? nullptr : dbias + static_cast<std::int64_t>(s) * dbias_stride);
    }
  }
  return units;
}

}  // namespace

void backward_all(const AttentionGradient& gradient, const AttentionSchedule& schedule, at::Tensor dbias_HR) {
  const AttentionArguments& forward = gradient.forward;
  const auto sequences = static_cast<std::int64_t>(schedule.sequences.size());
  const std::int64_t biases = forward.heads * (2 * forward.bias_reach + 1);
  at::Tensor partial_SB;  // of each sequence; added in their order
  if (dbias_HR.defined()) {
    check_floats(dbias_HR, {forward.heads, 2 * forward.bias_reach + 1});
    partial_SB = at::zeros({sequences, biases}, at::kFloat);
  }
  const std::vector<AttentionGradientUnit> units =
      units_of(schedule, forward.kv_heads, partial_SB.defined() ? partial_SB.data_ptr<float>() : nullptr, biases);
  std::int64_t most_rows = 0;
  for (const AttentionSequence& sequence : schedule.sequences) most_rows = std::max(most_rows, sequence.rows);
  const std::int64_t floats = 2 * kv_page * forward.head_dim + forward.heads / forward.kv_heads * most_rows;
  const auto kernel = HONE_SELECT(attention_backward_unit);
  parallel_for(static_cast<std::int64_t>(units.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    thread_local Scratch transposed;
    float* scratch = transposed.reserve<float>(floats);
    for (std::int64_t unit = begin; unit < end; ++unit) {
      kernel(gradient, units[static_cast<std::size_t>(unit)], scratch);
    }
  });
  if (!dbias_HR.defined()) return;
  const float* partial = partial_SB.const_data_ptr<float>();
  float* dbias = dbias_HR.data_ptr<float>();
  for (std::int64_t s = 0; s < sequences; ++s) {
    for (std::int64_t i = 0; i < biases; ++i) dbias[i] += partial[s * biases + i];
  }
}

}  // namespace hone::kernels
