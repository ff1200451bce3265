#include "nn/heads.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/lm_head/kept_logits.h"
#include "kernels/pooling/pooling.h"
#include "nn/declare.h"
#include "nn/layer.h"

namespace hone {

namespace {

using Grads = std::vector<at::Tensor>;

/// Means of ragged sequences.
at::Tensor sequence_means(const at::Tensor& hidden_TD, const at::Tensor& start_S1) {
  const kernels::Pooled pooled = kernels::pool_forward(hidden_TD.detach(), start_S1, kernels::Pooling::mean);
  at::Tensor out = pooled.out_SD;
  record({hidden_TD}, {out}, [start_S1](Grads grads) -> Grads {
    return {kernels::pool_backward(grads[0].contiguous(), start_S1, kernels::Pooling::mean, {})};
  });
  return out;
}

}  // namespace

at::Tensor HeadTransform::operator()(const at::Tensor& hidden_MD) const {
  if (!defined()) return hidden_MD;
  const at::Tensor active = hone::activation(linear(hidden_MD, dense_DD, bias_D), activation);
  return norm.weight_D.defined() ? normed(active, norm) : active;
}

at::Tensor LmHead::input(const at::Tensor& hidden_MD) const {
  return scaled(form_.transform(hidden_MD), form_.input_scale);
}

kernels::LogitRule LmHead::rule() const {
  return {form_.bias_V.defined() ? form_.bias_V.weight() : at::Tensor(), form_.soft_cap};
}

kernels::TokenStatistics LmHead::token_statistics(const at::Tensor& hidden_MD, const at::Tensor& target_M,
                                                  double inverse_temperature, bool with_entropy) const {
  const at::Tensor x = input(hidden_MD);
  const Parameter weight = form_.weight_VD;
  if (!recording({x})) {
    return kernels::lm_head_forward(x, weight.packed(), target_M, inverse_temperature, with_entropy, rule());
  }
  kernels::KeptLogits kept;
  kernels::TokenStatistics forward =
      kernels::lm_head_forward(x, weight.packed(), target_M, inverse_temperature, with_entropy, rule(), kept);
  const kernels::TokenStatistics saved{forward.logprob_M.detach(),
                                       with_entropy ? forward.entropy_M.detach() : at::Tensor(), forward.lse_M};
  std::vector<at::Tensor> outputs{forward.logprob_M};
  if (with_entropy) outputs.push_back(forward.entropy_M);
  record({x}, outputs, [=, rule = rule(), bias = form_.bias_V, hidden = x.detach()](Grads grads) -> Grads {
    const at::Tensor dlogprob = grads[0].defined() ? grads[0].contiguous() : at::zeros_like(saved.logprob_M);
    const at::Tensor dentropy = with_entropy && grads[1].defined() ? grads[1].contiguous() : at::Tensor();
    at::Tensor dweight = weight.grad();
    at::Tensor dbias = bias.defined() ? bias.grad() : at::Tensor();
    return {kernels::lm_head_backward(hidden, weight.packed(), target_M, inverse_temperature, saved, dlogprob,
                                      dentropy, dweight, rule, dbias.defined() ? &dbias : nullptr, kept)};
  });
  return forward;
}

at::Tensor LmHead::logits(const at::Tensor& hidden_MD) const {
  const at::NoGradGuard no_grad;
  return kernels::lm_head_logits(input(hidden_MD), form_.weight_VD.packed(), rule());
}

at::Tensor LmHead::row_losses(const at::Tensor& hidden_MD, const LogitsLoss& loss) const {
  constexpr std::int64_t logits_bytes = 16 * 1024 * 1024;
  const at::Tensor x = input(hidden_MD);
  const Parameter weight = form_.weight_VD;
  const std::int64_t rows = x.size(0);
  const std::int64_t chunk = std::max<std::int64_t>(1, logits_bytes / 4 / weight.packed().out_features());
  at::Tensor loss_M = at::empty({rows}, at::kFloat);
  for (std::int64_t first = 0; first < rows; first += chunk) {
    const std::int64_t count = std::min(chunk, rows - first);
    at::Tensor logits_CV = kernels::lm_head_logits(x.detach().narrow(0, first, count), weight.packed(), rule());
    loss_M.narrow(0, first, count).copy_(loss(first, logits_CV, false));
  }
  record({x}, {loss_M}, [=, rule = rule(), bias = form_.bias_V, hidden = x.detach()](Grads grads) -> Grads {
    at::Tensor dhidden = at::empty_like(hidden), dweight = weight.grad();
    for (std::int64_t first = 0; first < rows; first += chunk) {
      const std::int64_t count = std::min(chunk, rows - first);
      const at::Tensor hidden_CD = hidden.narrow(0, first, count);
      at::Tensor logits_CV = kernels::lm_head_logits(hidden_CD, weight.packed(), rule);
      const at::Tensor slope_CV =
          rule.soft_cap == 0 ? at::Tensor() : 1 - (logits_CV / rule.soft_cap).square();
      loss(first, logits_CV, true);
      logits_CV.mul_(grads[0].narrow(0, first, count).unsqueeze(1));
      if (slope_CV.defined()) logits_CV.mul_(slope_CV);
      dhidden.narrow(0, first, count).copy_(kernels::linear_backward_input(logits_CV, weight.packed()));
      if (dweight.defined()) {
        kernels::linear_backward_weight(logits_CV, hidden_CD, weight.packed().compute(), dweight);
      }
      at::Tensor dbias = bias.defined() ? bias.grad() : at::Tensor();
      if (dbias.defined()) kernels::linear_backward_bias(logits_CV, dbias);
    }
    return {dhidden};
  });
  return loss_M;
}

namespace {

double deviation_of(std::int64_t hidden) { return 1.0 / std::sqrt(static_cast<double>(hidden) + 1.0); }

HeadTransform declare_dense(ParameterStore& store, const HeadForm& form, std::int64_t hidden, SegmentRole role) {
  HeadTransform transform;
  transform.dense_DD =
      declare_matrix(store, "head_dense", {{form.dense + ".weight", hidden}}, hidden, deviation_of(hidden), role);
  if (form.dense_bias) transform.bias_D = declare_bias(store, "head_dense.bias", {{form.dense + ".bias", hidden}}, role);
  transform.activation = form.activation;
  return transform;
}

}  // namespace

void declare_pooler(ParameterStore& store, const HeadForm& form, std::int64_t hidden) {
  if (form.dense.ends_with("pooler.dense")) declare_dense(store, form, hidden, SegmentRole::head);
}

Head::Head(ParameterStore& store, HeadKind kind, const HeadForm& form, std::int64_t hidden, std::int64_t outputs)
    : kind_(kind), rows_(form.rows), outputs_(outputs) {
  const bool critic = kind == HeadKind::value;
  const std::string name = critic ? "value" : "score";
  const SegmentRole role = critic ? SegmentRole::critic : SegmentRole::head;
  const double deviation = deviation_of(hidden);
  if (!form.dense.empty()) transform_ = declare_dense(store, form, hidden, role);
  if (!form.norm.empty()) {
    transform_.norm = declare_layer_norm(store, "head_norm", form.norm, hidden, form.norm_eps, form.norm_bias, role);
  }
  weight_ = store.add({.name = name,
                       .shape = {outputs, hidden},
                       .parts = {{form.linear + ".weight", outputs, {}}},
                       .init = critic ? constant_init(0) : normal_init(deviation),
                       .role = role,
                       .matrix = true});
  if (form.bias) bias_ = declare_bias(store, name + ".bias", {{form.linear + ".bias", outputs}}, role);
}

at::Tensor Head::operator()(const at::Tensor& hidden_MD) const {
  return linear(transform_(hidden_MD), weight_, bias_);
}

at::Tensor Head::pick(const at::Tensor& hidden_TD, const at::Tensor& start_S1) const {
  const std::int64_t sequences = start_S1.size(0) - 1;
  switch (rows_) {
    case HeadRows::last: return take_rows(hidden_TD, start_S1.narrow(0, 1, sequences).to(at::kLong) - 1);
    case HeadRows::first: return take_rows(hidden_TD, start_S1.narrow(0, 0, sequences).to(at::kLong));
    case HeadRows::mean: return sequence_means(hidden_TD, start_S1);
    case HeadRows::all: return hidden_TD;
  }
  fail(ErrorKind::internal, "a head without rows");
}

}  // namespace hone
