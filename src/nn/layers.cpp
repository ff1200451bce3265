#include "nn/layers.h"

#include "base/error.h"
#include "kernels/activation/activation.h"
#include "kernels/dropout/dropout.h"
#include "kernels/embedding/embedding.h"
#include "kernels/norm/norm.h"
#include "kernels/rotary/rotary.h"
#include "nn/layer.h"

namespace hone {

namespace {

using Grads = std::vector<at::Tensor>;

/// Adds the gradients of y = x·Wᵀ + b to the arena and returns dx.
at::Tensor linear_backward(const at::Tensor& dy_TN, const at::Tensor& x_TK, const Parameter& weight,
                           const Parameter& bias) {
  if (at::Tensor dweight = weight.grad(); dweight.defined()) {
    kernels::linear_backward_weight(dy_TN, x_TK, weight.store().compute(), dweight);
  }
  if (bias.defined()) {
    if (at::Tensor dbias = bias.grad(); dbias.defined()) kernels::linear_backward_bias(dy_TN, dbias);
  }
  return kernels::linear_backward_input(dy_TN, weight.packed());
}

at::Tensor weight_or_none(const Parameter& parameter) {
  return parameter.defined() ? parameter.weight() : at::Tensor();
}

at::Tensor grad_or_none(const Parameter& parameter) { return parameter.defined() ? parameter.grad() : at::Tensor(); }

}  // namespace

at::Tensor embedding(const at::Tensor& id_T, const Parameter& weight_VD) {
  at::Tensor out = kernels::embedding_forward(id_T, weight_VD.weight());
  record({weight_VD.store().anchor()}, {out}, [=](Grads grads) -> Grads {
    if (at::Tensor dweight = weight_VD.grad(); dweight.defined()) {
      kernels::embedding_backward(grads[0].contiguous(), id_T, dweight);
    }
    return {at::Tensor()};
  });
  return out;
}

at::Tensor linear(const at::Tensor& x_TK, const Parameter& weight_NK, const Parameter& bias_N) {
  at::Tensor out = kernels::linear_forward(x_TK, weight_NK.packed(), weight_or_none(bias_N));
  record({x_TK}, {out}, [=, x = x_TK.detach()](Grads grads) -> Grads {
    return {linear_backward(grads[0].contiguous(), x, weight_NK, bias_N)};
  });
  return out;
}

Normed add_rms_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Parameter& weight_D, double eps) {
  kernels::RmsNorm forward = kernels::rms_norm_forward(x_TD, residual_TD, weight_D.weight(), eps);
  const Normed result{residual_TD.defined() ? forward.sum_TD : x_TD, forward.out_TD};
  if (!recording({x_TD, residual_TD})) return result;
  kernels::RmsNorm saved{forward.sum_TD.detach(), {}, forward.rstd_T};
  const auto norm_backward = [saved, weight_D](const at::Tensor& dout, const at::Tensor& dsum) {
    at::Tensor dweight = weight_D.grad();
    return kernels::rms_norm_backward(dout.defined() ? dout.contiguous() : at::zeros_like(saved.sum_TD),
                                      dsum.defined() ? dsum.contiguous() : dsum, saved, weight_D.weight(), dweight);
  };
  if (residual_TD.defined()) {
    record({x_TD, residual_TD}, {result.sum_TD, result.out_TD}, [norm_backward](Grads grads) -> Grads {
      const at::Tensor dsum = norm_backward(grads[1], grads[0]);
      return {dsum, dsum};
    });
  } else {
    record({x_TD}, {result.out_TD}, [norm_backward](Grads grads) -> Grads { return {norm_backward(grads[0], {})}; });
  }
  return result;
}

at::Tensor rotary_table(std::int64_t positions, std::int64_t head_dim, double theta) {
  return kernels::rotary_table(positions, head_dim, theta);
}

at::Tensor rotary_attention(const at::Tensor& qkv_TC, const RotaryAttention& config,
                            const kernels::AttentionPlan& plan, KvCache* cache, std::int64_t layer) {
  const kernels::QkNorm norm{weight_or_none(config.query_norm_D), weight_or_none(config.key_norm_D), config.norm_eps};
  kernels::Rotated rotated =
      kernels::rotary_forward(qkv_TC, plan.position_T, config.shape, config.table_P2H, norm);
  if (cache != nullptr) {
    HONE_ASSERT(plan.cached() && !recording({qkv_TC}));
    return kernels::attention_cached(rotated.qkv_TC, config.shape, plan, cache->layer(layer));
  }
  kernels::AttentionResult forward = kernels::attention_forward(rotated.qkv_TC, config.shape, plan);
  if (!recording({qkv_TC})) return forward.out_TE;
  const kernels::AttentionResult saved{forward.out_TE.detach(), forward.lse_TH};
  const at::Tensor unrotated = norm.defined() ? qkv_TC.detach() : at::Tensor();
  record({qkv_TC}, {forward.out_TE}, [=](Grads grads) -> Grads {
    const at::Tensor drotated =
        kernels::attention_backward(grads[0].contiguous(), rotated.qkv_TC, saved, config.shape, plan);
    at::Tensor dquery = grad_or_none(config.query_norm_D);
    at::Tensor dkey = grad_or_none(config.key_norm_D);
    return {kernels::rotary_backward(drotated, unrotated, rotated.rstd_TH, plan.position_T, config.shape,
                                     config.table_P2H, norm, dquery, dkey)};
  });
  return forward.out_TE;
}

at::Tensor gated_mlp(const at::Tensor& x_TD, const Parameter& gate_up, const Parameter& down) {
  const at::Tensor gate_up_T2F = kernels::linear_forward(x_TD, gate_up.packed());
  constexpr kernels::Activation silu = kernels::Activation::silu;
  at::Tensor out = kernels::linear_forward(kernels::gated_forward(gate_up_T2F, silu), down.packed());
  record({x_TD}, {out}, [=, x = x_TD.detach()](Grads grads) -> Grads {
    const at::Tensor activation = kernels::gated_forward(gate_up_T2F, silu);  // recomputed: a third of the memory
    const at::Tensor dactivation = linear_backward(grads[0].contiguous(), activation, down, {});
    return {linear_backward(kernels::gated_backward(dactivation, gate_up_T2F, silu), x, gate_up, {})};
  });
  return out;
}

at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key) {
  if (probability == 0) return x;
  at::Tensor out = kernels::dropout(x, probability, key);
  record({x}, {out}, [=](Grads grads) -> Grads { return {kernels::dropout(grads[0].contiguous(), probability, key)}; });
  return out;
}

kernels::TokenStatistics token_statistics(const at::Tensor& hidden_MD, const Parameter& weight_VD,
                                          const at::Tensor& target_M, double inverse_temperature, bool with_entropy) {
  kernels::TokenStatistics forward =
      kernels::lm_head_forward(hidden_MD, weight_VD.packed(), target_M, inverse_temperature, with_entropy);
  if (!recording({hidden_MD})) return forward;
  const kernels::TokenStatistics saved{forward.logprob_M.detach(),
                                       with_entropy ? forward.entropy_M.detach() : at::Tensor(), forward.lse_M};
  std::vector<at::Tensor> outputs{forward.logprob_M};
  if (with_entropy) outputs.push_back(forward.entropy_M);
  record({hidden_MD}, outputs, [=, hidden = hidden_MD.detach()](Grads grads) -> Grads {
    const at::Tensor dlogprob = grads[0].defined() ? grads[0].contiguous() : at::zeros_like(saved.logprob_M);
    const at::Tensor dentropy = with_entropy && grads[1].defined() ? grads[1].contiguous() : at::Tensor();
    at::Tensor dweight = weight_VD.grad();
    return {kernels::lm_head_backward(hidden, weight_VD.packed(), target_M, inverse_temperature, saved, dlogprob,
                                      dentropy, dweight)};
  });
  return forward;
}

at::Tensor take_rows(const at::Tensor& x_TD, const at::Tensor& row_M) {
  at::Tensor out = at::index_select(x_TD.detach(), 0, row_M);
  record({x_TD}, {out}, [row_M, rows = x_TD.size(0)](Grads grads) -> Grads {
    return {at::zeros({rows, grads[0].size(1)}, grads[0].options()).index_add_(0, row_M, grads[0])};
  });
  return out;
}

}  // namespace hone
