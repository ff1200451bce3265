#include "nn/attention.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/rotary/rotary.h"
#include "nn/layer.h"

namespace hone {

namespace {

using Grads = std::vector<at::Tensor>;

at::Tensor weight_or_none(const Parameter& parameter) {
  return parameter.defined() ? parameter.weight() : at::Tensor();
}

at::Tensor grad_or_none(const Parameter& parameter) { return parameter.defined() ? parameter.grad() : at::Tensor(); }

kernels::QkNorm qk_norm(const Attention& config) {
  return {weight_or_none(config.query_norm_D), weight_or_none(config.key_norm_D), config.norm_eps,
          config.norm_weight_offset};
}

kernels::Rotated rotated(const at::Tensor& qkv_TC, const Attention& config, const at::Tensor& position_T) {
  if (!config.rotary_table_P2H.defined()) return {qkv_TC.detach(), {}};
  return kernels::rotary_forward(qkv_TC, position_T, config.shape, config.rotary_table_P2H, qk_norm(config));
}

at::Tensor unrotated_gradient(const at::Tensor& drotated_TC, const at::Tensor& qkv_TC, const at::Tensor& rstd_TH,
                              const Attention& config, const at::Tensor& position_T) {
  if (!config.rotary_table_P2H.defined()) return drotated_TC;
  at::Tensor dquery = grad_or_none(config.query_norm_D);
  at::Tensor dkey = grad_or_none(config.key_norm_D);
  return kernels::rotary_backward(drotated_TC, qkv_TC, rstd_TH, position_T, config.shape, config.rotary_table_P2H,
                                  qk_norm(config), dquery, dkey);
}

/// The plan of a pass as this layer needs it.
kernels::AttentionPlan layer_plan(const Attention& config, const kernels::AttentionPlan& plan,
                                  const at::Tensor& bias_HR) {
  kernels::AttentionPlan own = plan;
  own.kind = config.kind;
  own.window = config.window;
  own.scale = config.scale;
  own.soft_cap = config.soft_cap;
  own.bias_HR = bias_HR.defined() ? bias_HR.detach() : bias_HR;
  return own;
}

/// The bucket of key position - query position; Raffel et al. 2020: half of the buckets for exact distances, the others
/// logarithmic up to max_distance.
std::int64_t bucket_of(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance, bool bidirectional) {
  std::int64_t first = 0;
  if (bidirectional) {
    buckets /= 2;
    if (distance > 0) first = buckets;
    distance = std::abs(distance);
  } else {
    distance = std::max<std::int64_t>(0, -distance);
  }
  const std::int64_t exact = buckets / 2;
  if (distance < exact) return first + distance;
  // In float32 as in the models' reference code: the borders of buckets were trained with its rounding.
  const float share = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
  const auto beyond = static_cast<std::int64_t>(share * static_cast<float>(buckets - exact));
  return first + std::min(exact + beyond, buckets - 1);
}

}  // namespace

at::Tensor attention(const at::Tensor& qkv_TC, const Attention& config, const kernels::AttentionPlan& plan,
                     KvCache* cache, std::int64_t layer, const at::Tensor& bias_HR) {
  const kernels::AttentionPlan own = layer_plan(config, plan, bias_HR);
  const kernels::Rotated input = rotated(qkv_TC, config, plan.position_T);
  if (cache != nullptr) {
    HONE_ASSERT(plan.cached() && !recording({qkv_TC, bias_HR}));
    return kernels::attention_cached(input.qkv_TC, config.shape, own, cache->layer(layer));
  }
  kernels::AttentionResult forward = kernels::attention_forward(input.qkv_TC, config.shape, own);
  if (!recording({qkv_TC, bias_HR})) return forward.out_TE;
  const kernels::AttentionResult saved{forward.out_TE.detach(), forward.lse_TH};
  const at::Tensor unrotated = config.query_norm_D.defined() ? qkv_TC.detach() : at::Tensor();
  std::vector<at::Tensor> inputs{qkv_TC};
  if (bias_HR.defined()) inputs.push_back(bias_HR);
  record(inputs, {forward.out_TE}, [=](Grads grads) -> Grads {
    at::Tensor dbias = own.bias_HR.defined() ? at::zeros_like(own.bias_HR) : at::Tensor();
    const at::Tensor drotated = kernels::attention_backward(grads[0].contiguous(), input.qkv_TC, saved, config.shape,
                                                            own, dbias.defined() ? &dbias : nullptr);
    Grads result{unrotated_gradient(drotated, unrotated, input.rstd_TH, config, own.position_T)};
    if (dbias.defined()) result.push_back(dbias);
    return result;
  });
  return forward.out_TE;
}

at::Tensor cross_attention(const at::Tensor& q_TE, const at::Tensor& kv_UC, const Attention& config,
                           const kernels::AttentionPlan& plan) {
  const kernels::AttentionPlan own = layer_plan(config, plan, {});
  kernels::AttentionResult forward = kernels::attention_cross_forward(q_TE, kv_UC, config.shape, own);
  const kernels::AttentionResult saved{forward.out_TE.detach(), forward.lse_TH};
  record({q_TE, kv_UC}, {forward.out_TE}, [=, q = q_TE.detach(), kv = kv_UC.detach()](Grads grads) -> Grads {
    kernels::CrossGradient gradient =
        kernels::attention_cross_backward(grads[0].contiguous(), q, kv, saved, config.shape, own);
    return {gradient.dq_TE, gradient.dkv_UC};
  });
  return forward.out_TE;
}

at::Tensor relative_bias(const Parameter& weight_BH, std::int64_t longest, std::int64_t max_distance,
                         bool bidirectional) {
  const at::Tensor weight = weight_BH.weight();
  std::vector<std::int64_t> buckets;
  for (std::int64_t distance = 1 - longest; distance < longest; ++distance) {
    buckets.push_back(bucket_of(distance, weight.size(0), max_distance, bidirectional));
  }
  const at::Tensor bucket_R = at::tensor(buckets, at::kLong);
  at::Tensor bias_HR = weight.index_select(0, bucket_R).t().contiguous();
  record({weight_BH.store().anchor()}, {bias_HR}, [weight_BH, bucket_R](Grads grads) -> Grads {
    if (at::Tensor dweight = weight_BH.grad(); dweight.defined()) {
      dweight.index_add_(0, bucket_R, grads[0].t().contiguous());
    }
    return {at::Tensor()};
  });
  return bias_HR;
}

}  // namespace hone
