#include "kernels/lm_head/row_cpu.h"

#include <math.h>

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

constexpr int64_t chains = 4;
constexpr int64_t stride = chains * vector_lanes;
constexpr int64_t block = 32 * stride;

float largest(const float* row, int64_t count) {
  Floats best[chains];
  for (int64_t c = 0; c < chains; ++c) best[c] = broadcast(-INFINITY);
  int64_t i = 0;
  for (; i + stride <= count; i += stride) {
    for (int64_t c = 0; c < chains; ++c) {
      const Floats x = load_floats(row + i + c * vector_lanes);
      best[c] = x > best[c] ? x : best[c];
    }
  }
  for (int64_t c = 1; c < chains; ++c) best[0] = best[c] > best[0] ? best[c] : best[0];
  float result = -INFINITY;
  for (int64_t lane = 0; lane < vector_lanes; ++lane) result = best[0][lane] > result ? best[0][lane] : result;
  for (; i < count; ++i) result = row[i] > result ? row[i] : result;
  return result;
}

/// The same, block by block.
float largest_by_blocks(const float* row, int64_t count, float* peak) {
  float result = -INFINITY;
  for (int64_t start = 0; start < count; start += row_block) {
    const int64_t end = start + row_block < count ? start + row_block : count;
    Floats best = broadcast(-INFINITY);
    int64_t i = start;
    for (; i + vector_lanes <= end; i += vector_lanes) {
      const Floats x = load_floats(row + i);
      best = x > best ? x : best;
    }
    if (i < end) {
      const Floats x = load_some(row + i, end - i, -INFINITY);
      best = x > best ? x : best;
    }
    for (int32_t half = vector_lanes / 2; half > 0; half /= 2) {
      const Floats other = rotate_lanes(best, half);
      best = other > best ? other : best;
    }
    peak[start / row_block] = best[0];
    result = best[0] > result ? best[0] : result;
  }
  return result;
}

enum class Keeps { nothing, masses, terms };

/// Adds terms up by blocks of the row. What it keeps does not touch the sums of the row itself.
template <Keeps keeps>
class BlockMasses {
 public:
  explicit BlockMasses(const RowTrace& trace) : trace_(trace) {}
  /// `count` ≤ vector_lanes terms from place i on; a block's last ones come with the end of the row or of the block.
  void add(int64_t i, Floats terms, int64_t count, int64_t vocabulary) {
    if constexpr (keeps == Keeps::nothing) return;
    if constexpr (keeps == Keeps::terms) {
      if (count == vector_lanes) {
        store_floats(trace_.term + i, terms);
      } else {
        store_some(trace_.term + i, terms, count);
      }
    }
    sum_ += terms;
    const int64_t next = i + count;
    if (next % row_block == 0 || next == vocabulary) {
      trace_.mass[i / row_block] = sum_lanes(sum_);
      sum_ = Floats{};
    }
  }

 private:
  const RowTrace& trace_;
  Floats sum_ = {};
};

template <Keeps keeps>
float log_sum_exp(const float* logits, int64_t vocabulary, float inverse_temperature, float highest,
                  const RowTrace& trace) {
  // Scaling by a positive factor keeps the order, so the largest is scaled once.
  const float peak = highest * inverse_temperature;
  BlockMasses<keeps> masses(trace);
  Floats total = {};
  int64_t i = 0;
  while (i + stride <= vocabulary) {
    // Partial sums of a block at a time: rounding errors grow with the chain, not with the vocabulary.
    const int64_t end = i + block < vocabulary ? i + block : vocabulary;
    Floats sum[chains] = {};
    for (; i + stride <= end; i += stride) {
      for (int64_t c = 0; c < chains; ++c) {
        const int64_t at = i + c * vector_lanes;
        const Floats term = exp_floats(load_floats(logits + at) * inverse_temperature - peak);
        masses.add(at, term, vector_lanes, vocabulary);
        sum[c] += term;
      }
    }
    total += (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  for (; i < vocabulary; i += vector_lanes) {
    const int64_t left = vocabulary - i < vector_lanes ? vocabulary - i : vector_lanes;
    const Floats term = exp_floats(load_some(logits + i, left, -INFINITY) * inverse_temperature - peak);
    masses.add(i, term, left, vocabulary);
    total += term;
  }
  return peak + logf(sum_lanes(total));
}

}  // namespace

float row_log_sum_exp(const float* logits, int64_t vocabulary, float inverse_temperature) {
  return log_sum_exp<Keeps::nothing>(logits, vocabulary, inverse_temperature, largest(logits, vocabulary), {});
}

float row_scan(const float* logits, int64_t vocabulary, float inverse_temperature, const RowTrace& trace) {
  const float highest = largest_by_blocks(logits, vocabulary, trace.peak);
  return trace.term == nullptr
             ? log_sum_exp<Keeps::masses>(logits, vocabulary, inverse_temperature, highest, trace)
             : log_sum_exp<Keeps::terms>(logits, vocabulary, inverse_temperature, highest, trace);
}

float row_logprob(const float* logits, int64_t token, float inverse_temperature, float log_sum_exp) {
  return logits[token] * inverse_temperature - log_sum_exp;
}

}  // namespace hone::kernels::HONE_ISA
