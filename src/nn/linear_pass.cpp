#include "nn/linear_pass.h"

#include "base/error.h"
#include "base/random.h"
#include "kernels/dropout/dropout.h"
#include "kernels/linear/linear.h"

namespace hone {

namespace {

at::Tensor weight_or_none(const Parameter& parameter) {
  return parameter.defined() ? parameter.weight() : at::Tensor();
}

/// dW += dyᵀ·x.
void add_weight_gradient(const Parameter& weight, const at::Tensor& dy, const at::Tensor& x) {
  if (at::Tensor dweight = weight.grad(); dweight.defined()) {
    kernels::linear_backward_weight(dy, x, weight.store().compute(), dweight);
  }
}

/// db += column sums of dy.
void add_bias_gradient(const Parameter& bias, const at::Tensor& dy) {
  if (!bias.defined()) return;
  if (at::Tensor dbias = bias.grad(); dbias.defined()) kernels::linear_backward_bias(dy, dbias);
}

/// m / ‖W + scale·B·A‖ of each row.
at::Tensor gain_of(const LowRankAdapter& adapter) { return adapter.magnitude_N.weight() * adapter.inverse_norm_N; }

}  // namespace

at::Tensor LinearPass::dropped(const at::Tensor& x_TK) const {
  return use_.dropout == 0 ? x_TK : kernels::dropout(x_TK, use_.dropout, use_.dropout_key);
}

at::Tensor LinearPass::forward(const at::Tensor& x_TK, bool keep) {
  const at::NoGradGuard no_grad;
  const std::vector<LowRankAdapter>& adapters = weight_.adapters();
  if (adapters.empty()) return kernels::linear_forward(x_TK, weight_.packed(), weight_or_none(bias_));
  use_ = weight_.store().adapter_use();
  use_.dropout_key = stream_key(use_.dropout_key, weight_.segment().name);  // masks of its own
  at::Tensor y_TN = kernels::linear_forward(x_TK, weight_.packed());
  for (const LowRankAdapter& adapter : adapters) add_share(x_TK, adapter, y_TN, keep);
  if (bias_.defined()) y_TN.add_(bias_.weight());
  return y_TN;
}

void LinearPass::add_share(const at::Tensor& x_TK, const LowRankAdapter& adapter, at::Tensor& y_TN, bool keep) {
  Share share{adapter, kernels::linear_forward(dropped(x_TK), adapter.a_RK.packed()), {}};
  at::Tensor rows = y_TN.narrow(1, adapter.first_row, adapter.rows);
  rows.add_(kernels::linear_forward(share.low_TR, adapter.b_NR.packed()), adapter.scale);
  if (adapter.magnitude_N.defined()) {
    if (keep) share.before_magnitude_TN = rows.clone();
    rows.mul_(gain_of(adapter));
  }
  if (keep) shares_.push_back(std::move(share));
}

/// dy of the product that the magnitude scales; adds the magnitude's gradient.
at::Tensor LinearPass::through_magnitude(const Share& share, const at::Tensor& dy_TN) const {
  const LowRankAdapter& adapter = share.adapter;
  at::Tensor scaled = dy_TN.clone();
  at::Tensor rows = scaled.narrow(1, adapter.first_row, adapter.rows);
  if (at::Tensor dmagnitude = adapter.magnitude_N.grad(); dmagnitude.defined()) {
    dmagnitude.add_((rows * share.before_magnitude_TN).sum(0) * adapter.inverse_norm_N);
  }
  rows.mul_(gain_of(adapter));
  return scaled;
}

void LinearPass::backward_share(const Share& share, const at::Tensor& dy_TN, const at::Tensor& x_TK,
                                at::Tensor& dx_TK) const {
  const LowRankAdapter& adapter = share.adapter;
  const at::Tensor dy = dy_TN.narrow(1, adapter.first_row, adapter.rows).mul(adapter.scale).contiguous();
  add_weight_gradient(adapter.b_NR, dy, share.low_TR);
  const at::Tensor dlow = kernels::linear_backward_input(dy, adapter.b_NR.packed());
  add_weight_gradient(adapter.a_RK, dlow, dropped(x_TK));
  dx_TK.add_(dropped(kernels::linear_backward_input(dlow, adapter.a_RK.packed())));
}

at::Tensor LinearPass::backward_input(const at::Tensor& dy_TN) const {
  HONE_ASSERT(!adapted());
  return kernels::linear_backward_input(dy_TN, weight_.packed());
}

void LinearPass::backward_parameters(const at::Tensor& dy_TN, const at::Tensor& x_TK) const {
  HONE_ASSERT(!adapted());
  const at::NoGradGuard no_grad;
  add_bias_gradient(bias_, dy_TN);
  add_weight_gradient(weight_, dy_TN, x_TK);
}

at::Tensor LinearPass::backward(const at::Tensor& dy_TN, const at::Tensor& x_TK) const {
  const at::NoGradGuard no_grad;
  add_bias_gradient(bias_, dy_TN);
  at::Tensor dy = dy_TN;
  for (const Share& share : shares_) {
    if (share.adapter.magnitude_N.defined()) dy = through_magnitude(share, dy);
  }
  add_weight_gradient(weight_, dy, x_TK);
  at::Tensor dx_TK = kernels::linear_backward_input(dy, weight_.packed());
  for (const Share& share : shares_) backward_share(share, dy, x_TK, dx_TK);
  return dx_TK;
}

}  // namespace hone
