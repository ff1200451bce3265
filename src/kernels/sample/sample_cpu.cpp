#include "kernels/sample/sample_cpu.h"

#include <math.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels/vector.h"

namespace hone::kernels::HONE_ISA {

namespace {

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

Floats load(const float* from, int64_t count, float fill) {
  return count == vector_lanes ? load_floats(from) : load_some(from, count, fill);
}

Floats masses(Floats logits, float inverse_temperature, float offset) {
  return exp_floats(logits * inverse_temperature - offset);
}

/// sum + mass where x is at least the threshold.
Floats add_above(Floats sum, Floats x, Floats threshold, Floats mass) {
#if defined(__AVX512F__)
  return _mm512_mask_add_ps(sum, _mm512_cmp_ps_mask(x, threshold, _CMP_GE_OQ), sum, mass);
#else
  return sum + (x >= threshold ? mass : Floats{});
#endif
}

/// The kept terms of `count` ≤ vector_lanes places from i on.
Floats kept_terms(const SampleCut& cut, int64_t i, int64_t count) {
  const Floats x = load(cut.logits + i, count, -INFINITY);
  const Floats term =
      cut.term != nullptr ? load(cut.term + i, count, 0.0F) : masses(x, cut.inverse_temperature, cut.highest);
  const Floats last = broadcast(cut.last_logit);
  const Ints id = lane_numbers() + static_cast<int32_t>(i);
  const Ints kept = (x > last) | ((x == last) & (id <= cut.last_id));
  return kept ? term : Floats{};
}

/// Writes the elements [begin, end) of the list that are wanted behind the `found` before.
int64_t filter(const SampleList& list, int64_t begin, int64_t end, float low, float high, int64_t found, int32_t* id,
               float* logit, float* mass) {
  int64_t i = begin;
#if defined(__AVX512F__)
  const __m512 least = _mm512_set1_ps(low);
  const __m512 bound = _mm512_set1_ps(high);
  for (; i + 16 <= end; i += 16) {
    const __m512 x = _mm512_loadu_ps(list.logit + i);
    const __mmask16 wanted =
        _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(x, least, _CMP_GE_OQ), x, bound, _CMP_LT_OQ);
    const Ints places = lane_numbers() + static_cast<int32_t>(i);
    const __m512i ids = reinterpret_cast<__m512i>(list.id == nullptr ? places : load_ints(list.id + i));
    _mm512_storeu_ps(logit + found, _mm512_maskz_compress_ps(wanted, x));
    _mm512_storeu_si512(id + found, _mm512_maskz_compress_epi32(wanted, ids));
    if (mass != nullptr) {
      _mm512_storeu_ps(mass + found, _mm512_maskz_compress_ps(wanted, _mm512_loadu_ps(list.mass + i)));
    }
    found += __builtin_popcount(wanted);
  }
#endif
  for (; i < end; ++i) {
    const float x = list.logit[i];
    logit[found] = x;
    id[found] = list.id == nullptr ? static_cast<int32_t>(i) : list.id[i];
    if (mass != nullptr) mass[found] = list.mass[i];
    found += x >= low && x < high ? 1 : 0;
  }
  return found;
}

}  // namespace

void sample_masses(const float* logits, int64_t count, float inverse_temperature, float offset, float* mass) {
  int64_t i = 0;
  for (; i + vector_lanes <= count; i += vector_lanes) {
    store_floats(mass + i, masses(load_floats(logits + i), inverse_temperature, offset));
  }
  if (i < count) {
    const Floats last = load_some(logits + i, count - i, -INFINITY);
    store_some(mass + i, masses(last, inverse_temperature, offset), count - i);
  }
}

void sample_masses_above(const SampleList& list, const float* threshold, double* sum) {
  constexpr int64_t flushed = 32;  // blocks whose masses are added in float32
  Floats limit[sample_thresholds];
  Floats part[sample_thresholds] = {};
  for (int64_t k = 0; k < sample_thresholds; ++k) {
    limit[k] = broadcast(threshold[k]);
    sum[k] = 0;
  }
  int64_t added = 0;
  for (int64_t start = 0; start < list.count; start += sample_block) {
    const int64_t end = smaller(start + sample_block, list.count);
    if (list.peak == nullptr || list.peak[start / sample_block] >= threshold[0]) {
      for (int64_t i = start; i < end; i += vector_lanes) {
        const int64_t count = smaller(vector_lanes, end - i);
        const Floats x = load(list.logit + i, count, -INFINITY);
        const Floats mass = load(list.mass + i, count, 0.0F);
        for (int64_t k = 0; k < sample_thresholds; ++k) part[k] = add_above(part[k], x, limit[k], mass);
      }
      ++added;
    }
    if (added == flushed || end == list.count) {
      added = 0;
      for (int64_t k = 0; k < sample_thresholds; ++k) {
        sum[k] += static_cast<double>(sum_lanes(part[k]));
        part[k] = Floats{};
      }
    }
  }
}

int64_t sample_filter(const SampleList& list, float low, float high, int32_t* id, float* logit, float* mass) {
  if (list.peak == nullptr) return filter(list, 0, list.count, low, high, 0, id, logit, mass);
  int64_t found = 0;
  for (int64_t start = 0; start < list.count; start += sample_block) {
    if (list.peak[start / sample_block] < low) continue;
    found = filter(list, start, smaller(start + sample_block, list.count), low, high, found, id, logit, mass);
  }
  return found;
}

void sample_kept_masses(const SampleCut& cut, float* mass) {
  for (int64_t start = 0; start < cut.count; start += sample_block) {
    Floats sum = {};
    if (cut.peak[start / sample_block] >= cut.last_logit) {
      const int64_t end = smaller(start + sample_block, cut.count);
      for (int64_t i = start; i < end; i += vector_lanes) sum += kept_terms(cut, i, smaller(vector_lanes, end - i));
    }
    mass[start / sample_block] = sum_lanes(sum);
  }
}

void sample_kept_terms(const SampleCut& cut, int64_t begin, int64_t end, float* term) {
  for (int64_t i = begin; i < end; i += vector_lanes) {
    const int64_t count = smaller(vector_lanes, end - i);
    store_some(term + i - begin, kept_terms(cut, i, count), count);
  }
}

}  // namespace hone::kernels::HONE_ISA
