#include "kernels/attention/attention.h"

#include <string>
#include <vector>

#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

struct Case {
  AttentionShape shape;
  std::vector<std::int32_t> lengths;
  AttentionKind kind = AttentionKind::causal;
  std::int64_t window = 0;
};

std::vector<Case> cases() {
  return {
      {{4, 4, 32}, {1}},
      {{4, 2, 64}, {31, 32, 33, 1}},
      {{6, 1, 16}, {65, 0, 3}},
      {{3, 3, 8}, {40, 17}},
      {{2, 1, 7}, {50}},
      {{2, 2, 96}, {100, 64}},
      {{8, 2, 20}, {128, 5}},
      {{4, 2, 32}, {90, 33}, AttentionKind::causal, 1},
      {{4, 2, 32}, {90, 33}, AttentionKind::causal, 20},
      {{4, 4, 24}, {130, 33}, AttentionKind::causal, 64},
      {{4, 2, 32}, {70, 31, 32}, AttentionKind::bidirectional},
      {{4, 1, 48}, {100, 9}, AttentionKind::bidirectional, 10},
      {{40, 1, 16}, {35, 2}},
      {{2, 1, 16}, {300, 20}},
      {{4, 1, 256}, {70, 33}},
      {{3, 3, 72}, {33, 45}},
      {{4, 2, 80}, {64, 1, 37}},
      {{3, 1, 24}, {290}, AttentionKind::bidirectional, 70},
  };
}

std::int64_t tokens(const Case& c) {
  std::int64_t sum = 0;
  for (const std::int32_t length : c.lengths) sum += length;
  return sum;
}

std::string describe(const Case& c) {
  return "heads " + std::to_string(c.shape.heads) + "/" + std::to_string(c.shape.kv_heads) + " dim " +
         std::to_string(c.shape.head_dim) + " window " + std::to_string(c.window) + " tokens " +
         std::to_string(tokens(c));
}

}  // namespace

TEST_CASE("kernels: attention forward and backward equal plain operators") {
  for (const Case& c : cases()) {
    const std::string what = describe(c);
    CAPTURE(what);
    const AttentionPlan plan = plan_of(c.lengths, c.kind, c.window);
    const at::Tensor qkv = random_tensor({tokens(c), c.shape.fused_width()}, 1);
    const at::Tensor dout = random_tensor({tokens(c), c.shape.query_width()}, 2);
    const at::Tensor leaf = double_leaf(qkv);
    const at::Tensor expected = plain_attention(leaf, c.shape, plan);
    const AttentionResult result = attention_forward(qkv, c.shape, plan);
    CHECK(relative_error(result.out_TE, expected.detach()) < 1e-5);
    const at::Tensor dqkv = attention_backward(dout, qkv, result, c.shape, plan);
    CHECK(relative_error(dqkv, gradients(expected, dout, {leaf})[0]) < 1e-4);
  }
}

TEST_CASE("kernels: attention saves the log-sum-exp of the scaled scores") {
  const AttentionShape shape{2, 1, 16};
  const AttentionPlan plan = plan_of({40});
  const at::Tensor qkv = random_tensor({40, shape.fused_width()}, 3);
  const AttentionResult result = attention_forward(qkv, shape, plan);
  const at::Tensor heads = qkv.to(at::kDouble).reshape({40, 4, 16});
  const at::Tensor q = heads.select(1, 1);
  const at::Tensor k = heads.select(1, 2);
  const at::Tensor hidden = at::arange(40).unsqueeze(0) > at::arange(40).unsqueeze(1);
  const at::Tensor score = (at::matmul(q, k.t()) / 4.0).masked_fill(hidden, -INFINITY);
  CHECK(relative_error(result.lse_TH.select(1, 1), score.logsumexp(1)) < 1e-5);
}

TEST_CASE("kernels: attention of large scores neither overflows nor loses the largest") {
  const AttentionShape shape{2, 2, 32};
  const AttentionPlan plan = plan_of({70});
  const at::Tensor qkv = random_tensor({70, shape.fused_width()}, 4, 30.0);
  const AttentionResult result = attention_forward(qkv, shape, plan);
  CHECK(relative_error(result.out_TE, plain_attention(qkv.to(at::kDouble), shape, plan)) < 1e-4);
  const at::Tensor dqkv = attention_backward(at::ones_like(result.out_TE), qkv, result, shape, plan);
  CHECK(at::isfinite(dqkv).all().item<bool>());
}

TEST_CASE("kernels: attention passes a NaN on to the rows that see it, and to no other") {
  const AttentionShape shape{2, 1, 16};
  const AttentionPlan plan = plan_of({50, 20});
  at::Tensor qkv = random_tensor({70, shape.fused_width()}, 5);
  const at::Tensor clean = attention_forward(qkv, shape, plan).out_TE;
  qkv[37].fill_(NAN);
  const at::Tensor out = attention_forward(qkv, shape, plan).out_TE;
  CHECK(same_bits(out.slice(0, 0, 37), clean.slice(0, 0, 37)));
  CHECK(at::isnan(out.slice(0, 37, 50)).all().item<bool>());
  CHECK(same_bits(out.slice(0, 50), clean.slice(0, 50)));
}

TEST_CASE("kernels: attention of a sequence has the same bits alone and among others, with one thread and with two") {
  for (const Case& c : cases()) {
    const std::string what = describe(c);
    CAPTURE(what);
    const AttentionPlan plan = plan_of(c.lengths, c.kind, c.window);
    const at::Tensor qkv = random_tensor({tokens(c), c.shape.fused_width()}, 6);
    const at::Tensor dout = random_tensor({tokens(c), c.shape.query_width()}, 7);
    const auto compute = [&] {
      const AttentionResult result = attention_forward(qkv, c.shape, plan);
      return std::pair(result, attention_backward(dout, qkv, result, c.shape, plan));
    };
    const auto [one, done] = with_threads(1, compute);
    const auto [two, dtwo] = with_threads(2, compute);
    CHECK(same_bits(one.out_TE, two.out_TE));
    CHECK(same_bits(one.lse_TH, two.lse_TH));
    CHECK(same_bits(done, dtwo));
    std::int64_t start = 0;
    for (const std::int32_t length : c.lengths) {
      const AttentionPlan alone = plan_of({length}, c.kind, c.window);
      const at::Tensor rows = qkv.slice(0, start, start + length).contiguous();
      const AttentionResult result = attention_forward(rows, c.shape, alone);
      CHECK(same_bits(result.out_TE, one.out_TE.slice(0, start, start + length)));
      const at::Tensor gradient =
          attention_backward(dout.slice(0, start, start + length).contiguous(), rows, result, c.shape, alone);
      CHECK(same_bits(gradient, done.slice(0, start, start + length)));
      start += length;
    }
  }
}
