#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/attention/attention_cpu.h"
#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

using RowsKernel = void(const AttentionArguments&, const AttentionSequence&, std::int64_t, std::int64_t, std::int64_t);

struct Case {
  AttentionShape shape;
  std::int64_t past;
  std::int64_t rows;
  std::int64_t window = 0;
  bool causal = true;
  double spread = 1;
};

std::vector<Case> cases() {
  return {
      {{2, 1, 32}, 0, 96},
      {{2, 2, 8}, 0, 1},
      {{4, 1, 16}, 33, 3},
      {{2, 1, 20}, 5, 17},
      {{2, 2, 32}, 63, 40},
      {{1, 1, 7}, 0, 50, 1},
      {{2, 1, 24}, 31, 70, 5},
      {{2, 2, 40}, 0, 90, 33},
      {{1, 1, 16}, 0, 70, 0, false},
      {{2, 1, 32}, 0, 100, 20, false},
      {{2, 1, 32}, 40, 48, 0, true, 30},
  };
}

/// Arithmetic of one variant: how many sums of weights run side by side, and whether products and sums round together.
struct Arithmetic {
  std::int64_t lanes;
  bool fused;

  float add_product(float a, float b, float sum) const {
    if (fused) return std::fma(a, b, sum);
    const volatile float product = a * b;
    return product + sum;
  }

  /// exp_floats of x ≤ 88.
  float exponential(float x) const {
    if (x < -87.33654F) return 0;
    const float shifted = add_product(x, 1.44269504F, 12582912.0F);
    const float n = shifted - 12582912.0F;
    const float r = add_product(n, 2.12194440e-4F, add_product(-n, 0.693359375F, x));
    float p = 1.9875691500e-4F;
    for (const float factor :
         {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F}) {
      p = add_product(p, r, factor);
    }
    p = add_product(p, r * r, r) + 1.0F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(p) + (std::bit_cast<std::uint32_t>(shifted) << 23));
  }

  /// Of 32 weights: lanes in turn, then lane i and lane i + half.
  float sum(const std::array<float, kv_page>& weight) const {
    std::vector<float> lane(static_cast<std::size_t>(lanes));
    for (std::size_t j = 0; j < weight.size(); ++j) lane[j % lane.size()] += weight[j];
    for (std::size_t half = lane.size() / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half];
    }
    return lane[0];
  }
};

/// One query alone, scalar by scalar: its output, then its log-sum-exp. Keys are [N, head_dim].
std::vector<float> plain_row(const Arithmetic& math, const float* q, const at::Tensor& keys, const at::Tensor& values,
                             std::int64_t begin, std::int64_t end, float scale) {
  const std::int64_t head_dim = keys.size(1);
  std::vector<float> out(static_cast<std::size_t>(head_dim) + 1);
  float peak = -INFINITY;
  float total = 0;
  for (std::int64_t block = begin / kv_page * kv_page; block < end; block += kv_page) {
    const std::int64_t first = std::max(begin, block);
    const std::int64_t last = std::min(end, block + kv_page);
    std::array<float, kv_page> weight;
    weight.fill(-INFINITY);
    const float before = peak;
    for (std::int64_t j = first; j < last; ++j) {
      const float* key = keys.const_data_ptr<float>() + j * head_dim;
      float score = 0;
      for (std::int64_t d = 0; d < head_dim; ++d) score = math.add_product(q[d], key[d], score);
      const volatile float scaled = score * scale;
      weight[static_cast<std::size_t>(j - block)] = scaled;
      peak = std::max(peak, float{scaled});
    }
    for (float& w : weight) w = math.exponential(w - peak);
    const volatile float correction = peak == before ? 1.0F : math.exponential(before - peak);
    const volatile float corrected = total * correction;
    total = corrected + math.sum(weight);
    for (std::int64_t d = 0; d < head_dim; ++d) {
      const volatile float old = out[static_cast<std::size_t>(d)] * correction;
      float sum = old;
      for (std::int64_t j = first; j < last; ++j) {
        const float value = values.const_data_ptr<float>()[j * head_dim + d];
        sum = math.add_product(weight[static_cast<std::size_t>(j - block)], value, sum);
      }
      out[static_cast<std::size_t>(d)] = sum;
    }
  }
  const float inverse = 1.0F / total;
  for (float& x : out) x *= inverse;
  out.back() = peak + std::log(total);
  return out;
}

/// Queries of one sequence behind `past` tokens whose keys and values lie in pages, in disorder.
struct Sequence {
  Case c;
  at::Tensor q, k, v;  ///< [rows, heads · dim], [N, kv_heads, dim]
  KvPages pages;
  std::vector<std::int32_t> page;
  AttentionArguments arguments{};
  at::Tensor out, lse;

  explicit Sequence(const Case& of);
  void attend(RowsKernel* store, RowsKernel* kernel, std::int64_t step);
  /// Whether output and log-sum-exp of a row are those of the plain row.
  bool equals_plain(const Arithmetic& math, std::int64_t row, std::int64_t head) const;
};

Sequence::Sequence(const Case& of) : c(of) {
  const AttentionShape& shape = c.shape;
  const std::int64_t keys = c.past + c.rows;
  q = random_tensor({c.rows, shape.query_width()}, 1, c.spread);
  k = random_tensor({keys, shape.kv_heads, shape.head_dim}, 2, c.spread);
  v = random_tensor({keys, shape.kv_heads, shape.head_dim}, 3);
  const std::int64_t blocks = (keys + kv_page - 1) / kv_page;
  pages = make_kv_pages(blocks, shape);
  pages.key_PHDB.fill_(NAN);  // what no sequence wrote must not matter
  pages.value_PHBD.fill_(NAN);
  for (std::int64_t b = blocks; b > 0; --b) page.push_back(static_cast<std::int32_t>(b - 1));
  out = at::empty({c.rows, shape.query_width()});
  lse = at::empty({c.rows, shape.heads});
  arguments.heads = shape.heads;
  arguments.kv_heads = shape.kv_heads;
  arguments.head_dim = shape.head_dim;
  arguments.window = c.window;
  arguments.causal = c.causal;
  arguments.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  arguments.query_stride = shape.query_width();
  arguments.key_stride = shape.kv_heads * shape.head_dim;
  arguments.keys = pages.key_PHDB.data_ptr<float>();
  arguments.values = pages.value_PHBD.data_ptr<float>();
  arguments.out = out.data_ptr<float>();
  arguments.lse = lse.data_ptr<float>();
}

/// `step` rows together, from multiples of 32 on.
void Sequence::attend(RowsKernel* store, RowsKernel* kernel, std::int64_t step) {
  arguments.query = q.const_data_ptr<float>();
  arguments.key = k.const_data_ptr<float>();
  arguments.value = v.const_data_ptr<float>();
  const std::int64_t keys = c.past + c.rows;
  const AttentionSequence tokens{0, keys, 0, 0, keys, page.data()};
  const AttentionSequence queries{0, c.rows, c.past, c.past, keys, page.data()};
  for (std::int64_t head = 0; head < c.shape.kv_heads; ++head) {
    store(arguments, tokens, head, 0, keys);
    for (std::int64_t row = 0; row < c.rows;) {
      const std::int64_t end = std::min({row + step, (row / kv_page + 1) * kv_page, c.rows});
      kernel(arguments, queries, head, row, end);
      row = end;
    }
  }
}

bool Sequence::equals_plain(const Arithmetic& math, std::int64_t row, std::int64_t head) const {
  const AttentionShape& shape = c.shape;
  const std::int64_t position = c.past + row;
  const std::int64_t kv_head = head / (shape.heads / shape.kv_heads);
  std::int64_t begin = 0;
  std::int64_t end = c.causal ? position + 1 : c.past + c.rows;
  if (c.window > 0) begin = std::max(begin, position - c.window + 1);
  if (c.window > 0) end = std::min(end, position + c.window);
  const at::Tensor own = q[row].slice(0, head * shape.head_dim, (head + 1) * shape.head_dim);
  const std::vector<float> plain = plain_row(math, own.const_data_ptr<float>(), k.select(1, kv_head).contiguous(),
                                             v.select(1, kv_head).contiguous(), begin, end, arguments.scale);
  const at::Tensor expected = at::tensor(plain);
  return same_bits(out[row].slice(0, head * shape.head_dim, (head + 1) * shape.head_dim),
                   expected.slice(0, 0, shape.head_dim)) &&
         same_bits(lse[row].slice(0, head, head + 1), expected.slice(0, shape.head_dim));
}

/// Variants are listed narrowest first.
Arithmetic arithmetic_of(std::size_t variant) { return {std::int64_t{4} << variant, variant > 0}; }

}  // namespace

TEST_CASE("kernels: attention of many rows has the bits of each row computed alone, in every variant") {
  const auto stores = HONE_VARIANTS(attention_store);
  const auto attends = HONE_VARIANTS(attention_attend);
  for (const Case& c : cases()) {
    CAPTURE(c.rows);
    CAPTURE(c.past);
    CAPTURE(c.window);
    for (std::size_t variant = 0; variant < attends.size(); ++variant) {
      CAPTURE(variant);
      for (const std::int64_t step : {1, 2, 7, 15, 16, 19, 32}) {
        Sequence sequence(c);
        sequence.attend(stores[variant], attends[variant], step);
        bool equal = true;
        for (std::int64_t row = 0; row < c.rows; ++row) {
          for (std::int64_t head = 0; head < c.shape.heads; ++head) {
            equal = equal && sequence.equals_plain(arithmetic_of(variant), row, head);
          }
        }
        CAPTURE(step);
        CHECK(equal);
      }
    }
  }
}

TEST_CASE("kernels: a NaN among many rows' scores changes the rows that see it alone, in every variant") {
  const auto stores = HONE_VARIANTS(attention_store);
  const auto attends = HONE_VARIANTS(attention_attend);
  const Case c{{2, 1, 32}, 20, 80, 24};
  for (std::size_t variant = 0; variant < attends.size(); ++variant) {
    CAPTURE(variant);
    Sequence sequence(c);
    sequence.k[50].fill_(NAN);
    sequence.v[50].fill_(NAN);
    sequence.attend(stores[variant], attends[variant], kv_page);
    for (std::int64_t row = 0; row < c.rows; ++row) {
      const std::int64_t position = c.past + row;
      if (position >= 50 && position < 50 + c.window) {
        CHECK(at::isnan(sequence.out[row]).all().item<bool>());
        CHECK(at::isnan(sequence.lse[row]).all().item<bool>());
      } else {
        CHECK(sequence.equals_plain(arithmetic_of(variant), row, 0));
        CHECK(sequence.equals_plain(arithmetic_of(variant), row, 1));
      }
    }
  }
}
