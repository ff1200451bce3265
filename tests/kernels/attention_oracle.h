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

/// One sequence at a time with softmax over a masked score matrix, in the precision of qkv.
inline at::Tensor plain_attention(const at::Tensor& qkv_TC, const kernels::AttentionShape& shape,
                                  const kernels::AttentionPlan& plan) {
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
    const at::Tensor score = at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(shape.head_dim));
    const at::Tensor weight = score.masked_fill(hidden, -std::numeric_limits<double>::infinity()).softmax(-1);
    outs.push_back(at::matmul(weight, v).transpose(0, 1).reshape({length, shape.query_width()}));
  }
  return outs.empty() ? at::zeros({0, shape.query_width()}, qkv_TC.scalar_type()) : at::cat(outs, 0);
}

}  // namespace hone::test
