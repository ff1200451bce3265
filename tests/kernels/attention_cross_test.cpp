#include <string>
#include <vector>

#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

struct Case {
  AttentionShape shape;
  std::vector<std::int32_t> rows;
  std::vector<std::int32_t> keys;
  double scale = 0;
  double soft_cap = 0;
};

std::vector<Case> cases() {
  return {
      {{4, 4, 32}, {5, 3}, {1, 2}},
      {{4, 4, 64}, {33, 1, 70}, {40, 65, 3}, 1.0},
      {{4, 2, 20}, {1, 1, 1, 1}, {32, 33, 31, 100}},
      {{6, 1, 16}, {40, 0, 2}, {7, 64, 130}, 0, 2.0},
      {{2, 2, 80}, {64, 35}, {96, 20}},
  };
}

AttentionPlan plan_for(const Case& c) {
  AttentionPlan plan = plan_of(c.rows);
  std::vector<std::int32_t> start{0};
  for (const std::int32_t keys : c.keys) start.push_back(start.back() + keys);
  plan.key_start_S1 = int_tensor(start);
  plan.scale = c.scale;
  plan.soft_cap = c.soft_cap;
  return plan;
}

std::int64_t sum(const std::vector<std::int32_t>& counts) {
  std::int64_t total = 0;
  for (const std::int32_t count : counts) total += count;
  return total;
}

struct Inputs {
  at::Tensor q;
  at::Tensor kv;
  at::Tensor dout;
};

Inputs inputs_of(const Case& c) {
  return {random_tensor({sum(c.rows), c.shape.query_width()}, 1),
          random_tensor({sum(c.keys), c.shape.key_value_width()}, 2),
          random_tensor({sum(c.rows), c.shape.query_width()}, 3)};
}

}  // namespace

TEST_CASE("kernels: cross attention equals plain operators, forward and backward") {
  for (const Case& c : cases()) {
    CAPTURE(c.shape.head_dim);
    const AttentionPlan plan = plan_for(c);
    const Inputs in = inputs_of(c);
    const at::Tensor q = double_leaf(in.q);
    const at::Tensor kv = double_leaf(in.kv);
    const at::Tensor expected = plain_cross_attention(q, kv, c.shape, plan);
    const AttentionResult result = attention_cross_forward(in.q, in.kv, c.shape, plan);
    CHECK(relative_error(result.out_TE, expected.detach()) < 1e-5);
    const CrossGradient gradient = attention_cross_backward(in.dout, in.q, in.kv, result, c.shape, plan);
    const auto wanted = gradients(expected, in.dout, {q, kv});
    CHECK(relative_error(gradient.dq_TE, wanted[0]) < 1e-4);
    CHECK(relative_error(gradient.dkv_UC, wanted[1]) < 1e-4);
  }
}

TEST_CASE("kernels: cross attention has the same bits alone and among others, with one thread and with two") {
  for (const Case& c : cases()) {
    CAPTURE(c.shape.head_dim);
    const AttentionPlan plan = plan_for(c);
    const Inputs in = inputs_of(c);
    const auto compute = [&] {
      const AttentionResult result = attention_cross_forward(in.q, in.kv, c.shape, plan);
      const CrossGradient gradient = attention_cross_backward(in.dout, in.q, in.kv, result, c.shape, plan);
      return std::vector{result.out_TE, result.lse_TH, gradient.dq_TE, gradient.dkv_UC};
    };
    const auto one = with_threads(1, compute);
    const auto two = with_threads(2, compute);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
    std::int64_t row = 0;
    std::int64_t key = 0;
    for (std::size_t s = 0; s < c.rows.size(); ++s) {
      const Case alone{c.shape, {c.rows[s]}, {c.keys[s]}, c.scale, c.soft_cap};
      const auto rows = [&](const at::Tensor& x) { return x.slice(0, row, row + c.rows[s]).contiguous(); };
      const at::Tensor kv = in.kv.slice(0, key, key + c.keys[s]).contiguous();
      const AttentionResult result = attention_cross_forward(rows(in.q), kv, c.shape, plan_for(alone));
      CHECK(same_bits(result.out_TE, rows(one[0])));
      const CrossGradient gradient =
          attention_cross_backward(rows(in.dout), rows(in.q), kv, result, c.shape, plan_for(alone));
      CHECK(same_bits(gradient.dq_TE, rows(one[2])));
      CHECK(same_bits(gradient.dkv_UC, one[3].slice(0, key, key + c.keys[s])));
      row += c.rows[s];
      key += c.keys[s];
    }
  }
}

TEST_CASE("kernels: cross attention to stored keys, all rows at once or one by one, gives the bits of the forward") {
  for (const Case& c : cases()) {
    CAPTURE(c.shape.head_dim);
    AttentionPlan plan = plan_for(c);
    const Inputs in = inputs_of(c);
    const at::Tensor expected = attention_cross_forward(in.q, in.kv, c.shape, plan).out_TE;

    const auto sequences = static_cast<std::int64_t>(c.keys.size());
    KvPages pages = make_kv_pages(5 * sequences + 2, c.shape);
    pages.key_PHDB.fill_(NAN);
    pages.value_PHBD.fill_(NAN);
    plan.page_SN = (5 * sequences + 1 - at::arange(5 * sequences)).to(at::kInt).reshape({sequences, 5});
    attention_store_keys(in.kv, c.shape, plan, pages);
    plan.key_length_S = int_tensor(c.keys);
    CHECK(same_bits(attention_cross_cached(in.q, c.shape, plan, pages), expected));

    for (std::int64_t s = 0; s < sequences; ++s) {
      AttentionPlan single;
      single.scale = c.scale;
      single.soft_cap = c.soft_cap;
      single.start_S1 = int_tensor({0, 1});
      single.page_SN = plan.page_SN.slice(0, s, s + 1).contiguous();
      single.key_length_S = int_tensor({c.keys[static_cast<std::size_t>(s)]});
      const auto* start = plan.start_S1.const_data_ptr<std::int32_t>();
      bool equal = true;
      for (std::int64_t t = start[s]; t < start[s + 1]; ++t) {
        const at::Tensor row = in.q.slice(0, t, t + 1).contiguous();
        equal = equal && same_bits(attention_cross_cached(row, c.shape, single, pages), expected.slice(0, t, t + 1));
      }
      CHECK(equal);
    }
  }
}

TEST_CASE("kernels: keys are stored for new sequences without touching the pages of others") {
  const AttentionShape shape{2, 2, 16};
  KvPages pages = make_kv_pages(4, shape);
  pages.key_PHDB.zero_();
  pages.value_PHBD.zero_();
  AttentionPlan plan;
  plan.key_start_S1 = int_tensor({0, 33});
  plan.page_SN = int_tensor({3, 1}).unsqueeze(0);
  const at::Tensor kv = random_tensor({33, shape.key_value_width()}, 5);
  attention_store_keys(kv, shape, plan, pages);
  for (const std::int64_t untouched : {0, 2}) {
    CHECK(pages.key_PHDB[untouched].eq(0).all().item<bool>());
    CHECK(pages.value_PHBD[untouched].eq(0).all().item<bool>());
  }
  CHECK(same_bits(pages.key_PHDB[3][1].t(), kv.slice(0, 0, 32).slice(1, 16, 32)));
  CHECK(same_bits(pages.value_PHBD[1][0][0], kv[32].slice(0, 32, 48)));
}
