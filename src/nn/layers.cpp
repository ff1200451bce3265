#include "nn/layers.h"

#include "base/error.h"
#include "base/random.h"
#include "kernels/activation/gated_gradient.h"
#include "kernels/dropout/dropout.h"
#include "kernels/embedding/embedding.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/norm/norm.h"
#include "nn/layer.h"
#include "nn/linear_pass.h"

namespace hone {

namespace {

using Grads = std::vector<at::Tensor>;

/// Of what only products in bfloat16 read: they round it in any case, so half the memory goes through the caches.
at::ScalarType format_of(bool rounds) { return rounds ? at::kBFloat16 : at::kFloat; }

at::Tensor contiguous_or_none(const at::Tensor& tensor) { return tensor.defined() ? tensor.contiguous() : tensor; }

/// The forward pass of either norm, and its backward: (dout, dsum; either undefined) → gradient of the sum.
struct NormPass {
  Normed result;
  std::function<at::Tensor(const at::Tensor&, const at::Tensor&)> backward;
};

NormPass rms_pass(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Norm& norm) {
  kernels::RmsNorm forward =
      kernels::rms_norm_forward(x_TD, residual_TD, norm.weight_D.weight(), norm.eps, norm.weight_offset);
  NormPass pass{{forward.sum_TD, forward.out_TD}, nullptr};
  pass.backward = [norm, saved = kernels::RmsNorm{forward.sum_TD.detach(), {}, forward.rstd_T}](
                      const at::Tensor& dout, const at::Tensor& dsum) {
    at::Tensor dweight = norm.weight_D.grad();
    return kernels::rms_norm_backward(dout.defined() ? dout.contiguous() : at::zeros_like(saved.sum_TD),
                                      contiguous_or_none(dsum), saved, norm.weight_D.weight(), dweight,
                                      norm.weight_offset);
  };
  return pass;
}

NormPass layer_pass(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Norm& norm) {
  const at::Tensor bias = norm.bias_D.defined() ? norm.bias_D.weight() : at::Tensor();
  kernels::LayerNorm forward = kernels::layer_norm_forward(x_TD, residual_TD, norm.weight_D.weight(), bias, norm.eps);
  NormPass pass{{forward.sum_TD, forward.out_TD}, nullptr};
  pass.backward = [norm, saved = kernels::LayerNorm{forward.sum_TD.detach(), {}, forward.mean_T, forward.rstd_T}](
                      const at::Tensor& dout, const at::Tensor& dsum) {
    at::Tensor dweight = norm.weight_D.grad();
    at::Tensor dbias = norm.bias_D.defined() ? norm.bias_D.grad() : at::Tensor();
    return kernels::layer_norm_backward(dout.defined() ? dout.contiguous() : at::zeros_like(saved.sum_TD),
                                        contiguous_or_none(dsum), saved, norm.weight_D.weight(), dweight, dbias);
  };
  return pass;
}

}  // namespace

at::Tensor embedding(const at::Tensor& id_T, const Parameter& weight_VD) {
  at::Tensor out = weight_VD.rows(id_T);
  record({weight_VD.store().anchor()}, {out}, [=](Grads grads) -> Grads {
    if (at::Tensor dweight = weight_VD.grad(); dweight.defined()) {
      kernels::embedding_backward(grads[0].contiguous(), id_T, dweight);
    }
    return {at::Tensor()};
  });
  return out;
}

at::Tensor linear(const at::Tensor& x_TK, const Parameter& weight_NK, const Parameter& bias_N) {
  LinearPass pass(weight_NK, bias_N);
  const bool keep = recording({x_TK});
  at::Tensor out = pass.forward(x_TK, keep);
  if (!keep) return out;
  record({x_TK}, {out}, [pass = std::move(pass), x = x_TK.detach()](Grads grads) -> Grads {
    return {pass.backward(grads[0].contiguous(), x)};
  });
  return out;
}

Normed add_norm(const at::Tensor& x_TD, const at::Tensor& residual_TD, const Norm& norm) {
  NormPass pass = norm.kind == NormKind::rms ? rms_pass(x_TD, residual_TD, norm) : layer_pass(x_TD, residual_TD, norm);
  if (!residual_TD.defined()) pass.result.sum_TD = x_TD;
  if (!recording({x_TD, residual_TD})) return pass.result;
  if (residual_TD.defined()) {
    record({x_TD, residual_TD}, {pass.result.sum_TD, pass.result.out_TD},
           [backward = std::move(pass.backward)](Grads grads) -> Grads {
             const at::Tensor dsum = backward(grads[1], grads[0]);
             return {dsum, dsum};
           });
  } else {
    record({x_TD}, {pass.result.out_TD}, [backward = std::move(pass.backward)](Grads grads) -> Grads {
      return {backward(grads[0], {})};
    });
  }
  return pass.result;
}

at::Tensor normed(const at::Tensor& x_TD, const Norm& norm) { return add_norm(x_TD, {}, norm).out_TD; }

at::Tensor mlp(const at::Tensor& x_TD, const Mlp& mlp) {
  const bool keep = recording({x_TD});
  LinearPass in(mlp.in_FD, mlp.in_bias_F);
  LinearPass out(mlp.out_DF, mlp.out_bias_D);
  const auto activate = [kind = mlp.activation, gated = mlp.gated, format = format_of(out.rounds_input())](
                            const at::Tensor& inner) {
    return gated ? kernels::gated_forward(inner, kind, format) : kernels::activation_forward(inner, kind);
  };
  const at::Tensor inner_TF = in.forward(x_TD, keep);
  at::Tensor y_TD = out.forward(activate(inner_TF), keep);
  if (!keep) return y_TD;
  record({x_TD}, {y_TD},
         [activate, in = std::move(in), out = std::move(out), inner_TF, kind = mlp.activation, gated = mlp.gated,
          x = x_TD.detach()](Grads grads) -> Grads {
           const at::Tensor dy = grads[0].contiguous();
           // What is between the two matrices is computed again: a third of the memory.
           if (gated && !out.adapted()) {
             const kernels::GatedGradient inner = kernels::gated_backward_with_forward(
                 out.backward_input(dy), inner_TF, kind, format_of(out.rounds_input() && in.rounds_gradient()));
             out.backward_parameters(dy, inner.out_TF);
             return {in.backward(inner.dgate_up_T2F, x)};
           }
           const at::Tensor dactive = out.backward(dy, activate(inner_TF));
           return {in.backward(gated ? kernels::gated_backward(dactive, inner_TF, kind)
                                     : kernels::activation_backward(dactive, inner_TF, kind),
                               x)};
         });
  return y_TD;
}

at::Tensor activation(const at::Tensor& x, kernels::Activation kind) {
  at::Tensor out = kernels::activation_forward(x, kind);
  record({x}, {out}, [kind, saved = x.detach()](Grads grads) -> Grads {
    return {kernels::activation_backward(grads[0].contiguous(), saved, kind)};
  });
  return out;
}

at::Tensor scaled(const at::Tensor& x, double factor) {
  if (factor == 1) return x;
  at::Tensor out = x.detach() * factor;
  record({x}, {out}, [factor](Grads grads) -> Grads { return {grads[0] * factor}; });
  return out;
}

at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key) {
  if (probability == 0) return x;
  at::Tensor out = kernels::dropout(x, probability, key);
  record({x}, {out}, [=](Grads grads) -> Grads { return {kernels::dropout(grads[0].contiguous(), probability, key)}; });
  return out;
}

at::Tensor PassDropout::operator()(const at::Tensor& x, std::uint64_t place) const {
  return probability == 0 ? x : dropout(x, probability, stream_key(key + place, stream));
}

at::Tensor take_rows(const at::Tensor& x_TD, const at::Tensor& row_M) {
  at::Tensor out = at::index_select(x_TD.detach(), 0, row_M);
  record({x_TD}, {out}, [row_M, rows = x_TD.size(0)](Grads grads) -> Grads {
    return {at::zeros({rows, grads[0].size(1)}, grads[0].options()).index_add_(0, row_M, grads[0])};
  });
  return out;
}

}  // namespace hone
