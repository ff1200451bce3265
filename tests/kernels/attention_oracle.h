#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/oracle.h"

/// Attention in plain operators, and plans for it.
namespace hone::test {

inline kernels::AttentionPlan plan_of(const std::vector<std::int32_t>& lengths,
                                      kernels::AttentionKind kind = kernels::AttentionKind::causal,
                                      std::int64_t window = 0) {
  std::vector<std::int32_t> start{0};
  std::vector<std::int32_t> position;
  for (const std::int32_t length : lengths) {
    for (std::int32_t i = 0; i < length; ++i) position.push_back(i);
    start.push_back(start.back() + length);
  }
  kernels::AttentionPlan plan;
  plan.kind = kind;
  plan.window = window;
  plan.start_S1 = int_tensor(start);
  plan.position_T = int_tensor(position);
  return plan;
}

/// The scores' scale and soft cap.
inline at::Tensor plain_scores(const at::Tensor& q, const at::Tensor& k, const kernels::AttentionPlan& plan) {
  const double scale = plan.scale != 0 ? plan.scale : 1 / std::sqrt(static_cast<double>(q.size(-1)));
  const at::Tensor score = at::matmul(q, k.transpose(1, 2)) * scale;
  return plan.soft_cap > 0 ? at::tanh(score / plan.soft_cap) * plan.soft_cap : score;
}

/// One sequence at a time with softmax over a masked score matrix, in the precision of qkv. `bias_HR` (undefined: that
/// of the plan) may be a leaf.
inline at::Tensor plain_attention(const at::Tensor& qkv_TC, const kernels::AttentionShape& shape,
                                  const kernels::AttentionPlan& plan, at::Tensor bias_HR = {}) {
  if (!bias_HR.defined() && plan.bias_HR.defined()) bias_HR = plan.bias_HR.to(qkv_TC.scalar_type());
  std::vector<at::Tensor> outs;
  const std::int64_t group = shape.heads / shape.kv_heads;
  const auto* start = plan.start_S1.const_data_ptr<std::int32_t>();
  for (std::int64_t s = 0; s < plan.sequences(); ++s) {
    const std::int64_t length = start[s + 1] - start[s];
    const at::Tensor rows = qkv_TC.slice(0, start[s], start[s + 1])
                                .reshape({length, shape.heads + 2 * shape.kv_heads, shape.head_dim})
                                .transpose(0, 1);
    const at::Tensor q = rows.slice(0, 0, shape.heads);
    const at::Tensor k = rows.slice(0, shape.heads, shape.heads + shape.kv_heads).repeat_interleave(group, 0);
    const at::Tensor v = rows.slice(0, shape.heads + shape.kv_heads).repeat_interleave(group, 0);
    const at::Tensor i = at::arange(length).unsqueeze(1);
    const at::Tensor j = at::arange(length).unsqueeze(0);
    at::Tensor hidden = at::zeros({length, length}, at::kBool);
    if (plan.kind == kernels::AttentionKind::causal) hidden = hidden | (j > i);
    if (plan.window > 0) hidden = hidden | ((i - j).abs() >= plan.window);
    at::Tensor score = plain_scores(q, k, plan);
    if (bias_HR.defined()) {
      const std::int64_t reach = bias_HR.size(1) / 2;
      const at::Tensor index = (j - i).clamp(-reach, reach) + reach;
      score = score + bias_HR.index_select(1, index.flatten()).reshape({shape.heads, length, length});
    }
    const at::Tensor weight = score.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1);
    outs.push_back(at::matmul(weight, v).transpose(0, 1).reshape({length, shape.query_width()}));
  }
  return outs.empty() ? at::zeros({0, shape.query_width()}, qkv_TC.scalar_type()) : at::cat(outs, 0);
}

/// Every query of a sequence sees all of its keys.
inline at::Tensor plain_cross_attention(const at::Tensor& q_TE, const at::Tensor& kv_UC,
                                        const kernels::AttentionShape& shape, const kernels::AttentionPlan& plan) {
  std::vector<at::Tensor> outs;
  const auto* start = plan.start_S1.const_data_ptr<std::int32_t>();
  const auto* key_start = plan.key_start_S1.const_data_ptr<std::int32_t>();
  for (std::int64_t s = 0; s < plan.sequences(); ++s) {
    const std::int64_t rows = start[s + 1] - start[s];
    const std::int64_t keys = key_start[s + 1] - key_start[s];
    const at::Tensor q =
        q_TE.slice(0, start[s], start[s + 1]).reshape({rows, shape.heads, shape.head_dim}).transpose(0, 1);
    const at::Tensor kv = kv_UC.slice(0, key_start[s], key_start[s + 1])
                              .reshape({keys, 2 * shape.kv_heads, shape.head_dim})
                              .transpose(0, 1)
                              .repeat_interleave(shape.heads / shape.kv_heads, 0);
    const at::Tensor weight = plain_scores(q, kv.slice(0, 0, shape.heads), plan).softmax(-1);
    outs.push_back(at::matmul(weight, kv.slice(0, shape.heads)).transpose(0, 1).reshape({rows, shape.query_width()}));
  }
  return at::cat(outs, 0);
}

}  // namespace hone::test
