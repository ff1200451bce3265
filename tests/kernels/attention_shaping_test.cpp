#include <string>
#include <vector>

#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

/// Scores that are more than q·k / sqrt(head_dim).
struct Case {
  AttentionShape shape;
  std::vector<std::int32_t> lengths;
  AttentionKind kind = AttentionKind::causal;
  std::int64_t window = 0;
  double scale = 0;
  double soft_cap = 0;
  std::int64_t biases = 0;  ///< of a head; 0: none
};

std::vector<Case> cases() {
  constexpr auto both = AttentionKind::bidirectional;
  return {
      {{4, 2, 32}, {70, 1, 33}, AttentionKind::causal, 0, 0.3},
      {{4, 2, 32}, {70, 1, 33}, AttentionKind::causal, 0, 0, 1.5},
      {{4, 4, 20}, {65, 31, 32}, both, 0, 1.0, 0, 257},
      {{4, 4, 20}, {65, 31, 32}, both, 0, 1.0, 0, 21},
      {{3, 3, 80}, {50, 0, 40}, AttentionKind::causal, 0, 0, 0, 3},
      {{6, 2, 16}, {90, 7}, AttentionKind::causal, 20, 0, 0, 33},
      {{6, 1, 96}, {45, 64}, both, 9, 0.2, 2.0, 15},
      {{8, 2, 256}, {40, 35}, AttentionKind::causal, 0, 1.0 / 16, 50.0},
      {{40, 1, 16}, {35, 2}, AttentionKind::causal, 5, 0, 3.0, 7},
  };
}

std::int64_t tokens(const Case& c) {
  std::int64_t sum = 0;
  for (const std::int32_t length : c.lengths) sum += length;
  return sum;
}

AttentionPlan plan_for(const Case& c, const std::vector<std::int32_t>& lengths) {
  AttentionPlan plan = plan_of(lengths, c.kind, c.window);
  plan.scale = c.scale;
  plan.soft_cap = c.soft_cap;
  if (c.biases > 0) plan.bias_HR = random_tensor({c.shape.heads, c.biases}, 3);
  return plan;
}

std::string describe(const Case& c) {
  return "dim " + std::to_string(c.shape.head_dim) + " window " + std::to_string(c.window) + " cap " +
         std::to_string(c.soft_cap) + " biases " + std::to_string(c.biases);
}

}  // namespace

TEST_CASE("kernels: attention with scale, soft cap and relative bias equals plain operators, forward and backward") {
  for (const Case& c : cases()) {
    const std::string what = describe(c);
    CAPTURE(what);
    const AttentionPlan plan = plan_for(c, c.lengths);
    const at::Tensor qkv = random_tensor({tokens(c), c.shape.fused_width()}, 1);
    const at::Tensor dout = random_tensor({tokens(c), c.shape.query_width()}, 2);
    const at::Tensor leaf = double_leaf(qkv);
    const at::Tensor bias = c.biases > 0 ? double_leaf(plan.bias_HR) : at::Tensor();
    const at::Tensor expected = plain_attention(leaf, c.shape, plan, bias);
    const AttentionResult result = attention_forward(qkv, c.shape, plan);
    CHECK(relative_error(result.out_TE, expected.detach()) < 1e-5);
    at::Tensor dbias = c.biases > 0 ? at::ones_like(plan.bias_HR) : at::Tensor();
    const at::Tensor dqkv = attention_backward(dout, qkv, result, c.shape, plan, &dbias);
    const auto wanted = gradients(expected, dout, c.biases > 0 ? std::vector{leaf, bias} : std::vector{leaf});
    CHECK(relative_error(dqkv, wanted[0]) < 1e-4);
    if (c.biases > 0) CHECK(relative_error(dbias - 1, wanted[1]) < 1e-4);
    // Without asking for the bias gradient, the others keep their bits.
    CHECK(same_bits(dqkv, attention_backward(dout, qkv, result, c.shape, plan)));
  }
}

TEST_CASE("kernels: attention of any combination of shape, lengths, window, cap and bias equals plain operators") {
  hone::Random random(hone::stream_key(11, "combinations"));
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  for (int draw = 0; draw < 40; ++draw) {
    Case c;
    const std::int64_t kv_heads = 1 + below(3);
    c.shape = {kv_heads * (1 + below(3)), kv_heads, 1 + below(48)};
    for (std::int64_t s = 1 + below(3); s > 0; --s) c.lengths.push_back(static_cast<std::int32_t>(1 + below(80)));
    c.kind = below(2) == 0 ? AttentionKind::causal : AttentionKind::bidirectional;
    c.window = below(2) * below(50);
    c.scale = below(2) == 0 ? 0 : 0.1;
    c.soft_cap = below(2) == 0 ? 0 : 2.5;
    c.biases = below(2) == 0 ? 0 : 1 + 2 * below(60);
    const std::string what = describe(c);
    CAPTURE(what);
    const AttentionPlan plan = plan_for(c, c.lengths);
    const at::Tensor qkv = random_tensor({tokens(c), c.shape.fused_width()}, 1);
    const at::Tensor dout = random_tensor({tokens(c), c.shape.query_width()}, 2);
    const at::Tensor leaf = double_leaf(qkv);
    const at::Tensor bias = c.biases > 0 ? double_leaf(plan.bias_HR) : at::Tensor();
    const at::Tensor expected = plain_attention(leaf, c.shape, plan, bias);
    const AttentionResult result = attention_forward(qkv, c.shape, plan);
    CHECK(relative_error(result.out_TE, expected.detach()) < 1e-5);
    at::Tensor dbias = c.biases > 0 ? at::zeros_like(plan.bias_HR) : at::Tensor();
    const at::Tensor dqkv = attention_backward(dout, qkv, result, c.shape, plan, &dbias);
    const auto wanted = gradients(expected, dout, c.biases > 0 ? std::vector{leaf, bias} : std::vector{leaf});
    CHECK(relative_error(dqkv, wanted[0]) < 1e-4);
    if (c.biases > 1) CHECK(relative_error(dbias, wanted[1]) < 1e-4);  // one bias alone changes nothing
  }
}

TEST_CASE("kernels: shaped scores have the same bits alone and among others, with one thread and with two") {
  for (const Case& c : cases()) {
    const std::string what = describe(c);
    CAPTURE(what);
    const AttentionPlan plan = plan_for(c, c.lengths);
    const at::Tensor qkv = random_tensor({tokens(c), c.shape.fused_width()}, 6);
    const at::Tensor dout = random_tensor({tokens(c), c.shape.query_width()}, 7);
    const auto compute = [&] {
      const AttentionResult result = attention_forward(qkv, c.shape, plan);
      at::Tensor dbias = c.biases > 0 ? at::zeros_like(plan.bias_HR) : at::Tensor();
      const at::Tensor dqkv = attention_backward(dout, qkv, result, c.shape, plan, &dbias);
      return std::vector{result.out_TE, dqkv, c.biases > 0 ? dbias : dqkv};
    };
    const auto one = with_threads(1, compute);
    const auto two = with_threads(2, compute);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
    std::int64_t start = 0;
    for (const std::int32_t length : c.lengths) {
      const AttentionPlan alone = plan_for(c, {length});
      const at::Tensor rows = qkv.slice(0, start, start + length).contiguous();
      const AttentionResult result = attention_forward(rows, c.shape, alone);
      CHECK(same_bits(result.out_TE, one[0].slice(0, start, start + length)));
      const at::Tensor part = dout.slice(0, start, start + length).contiguous();
      CHECK(same_bits(attention_backward(part, rows, result, c.shape, alone), one[1].slice(0, start, start + length)));
      start += length;
    }
  }
}

TEST_CASE("kernels: prefill in pieces and decode with shaped scores give the bits of the training forward") {
  for (const Case& c : cases()) {
    if (c.kind != AttentionKind::causal) continue;
    const std::string what = describe(c);
    CAPTURE(what);
    const std::int32_t length = 75;
    const at::Tensor qkv = random_tensor({length, c.shape.fused_width()}, 8);
    const at::Tensor expected = attention_forward(qkv, c.shape, plan_for(c, {length})).out_TE;
    for (const std::int32_t piece : {1, 13, 40, 75}) {
      CAPTURE(piece);
      KvPages pages = make_kv_pages(3, c.shape);
      pages.key_PHDB.fill_(NAN);
      pages.value_PHBD.fill_(NAN);
      bool equal = true;
      for (std::int32_t begin = 0; begin < length; begin += piece) {
        const std::int32_t end = std::min(begin + piece, length);
        AttentionPlan plan = plan_for(c, {end - begin});
        plan.past_S = int_tensor({begin});
        plan.page_SN = int_tensor({2, 0, 1}).unsqueeze(0);
        const at::Tensor out = attention_cached(qkv.slice(0, begin, end).contiguous(), c.shape, plan, pages);
        equal = equal && same_bits(out, expected.slice(0, begin, end));
      }
      CHECK(equal);
    }
  }
}

TEST_CASE("kernels: soft-capped scores stay below the cap however large, and pass a NaN on to the rows that see it") {
  const AttentionShape shape{2, 1, 16};
  AttentionPlan plan = plan_of({50});
  plan.soft_cap = 5;
  const at::Tensor qkv = random_tensor({50, shape.fused_width()}, 9, 100.0);
  const AttentionResult result = attention_forward(qkv, shape, plan);
  CHECK(relative_error(result.out_TE, plain_attention(qkv.to(at::kDouble), shape, plan)) < 1e-5);
  CHECK((result.lse_TH <= 5 + std::log(50.0) + 1e-4).all().item<bool>());
  at::Tensor broken = qkv.clone();
  broken[37].fill_(NAN);
  const AttentionResult with_nan = attention_forward(broken, shape, plan);
  CHECK(same_bits(with_nan.out_TE.slice(0, 0, 37), result.out_TE.slice(0, 0, 37)));
  CHECK(at::isnan(with_nan.out_TE.slice(0, 37)).all().item<bool>());
}

TEST_CASE("kernels: a bidirectional window of n/2 + 1 sees the keys at most n/2 away") {
  const AttentionShape shape{1, 1, 8};
  const std::int64_t n = 6;
  const AttentionPlan plan = plan_of({40}, AttentionKind::bidirectional, n / 2 + 1);
  const at::Tensor qkv = random_tensor({40, shape.fused_width()}, 10);
  const at::Tensor expected = attention_forward(qkv, shape, plan).out_TE;
  for (const std::int64_t key : {0, 7, 20, 39}) {
    at::Tensor changed = qkv.clone();
    changed[key].slice(0, 8).add_(1.0);
    const at::Tensor out = attention_forward(changed, shape, plan).out_TE;
    for (std::int64_t i = 0; i < 40; ++i) {
      CHECK(same_bits(out[i], expected[i]) == (std::abs(i - key) > n / 2));
    }
  }
}
