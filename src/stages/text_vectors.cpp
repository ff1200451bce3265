#include "stages/text_vectors.h"

#include <vector>

#include "algo/contrastive_loss.h"
#include "base/stop.h"
#include "kernels/pooling/pooling.h"
#include "nn/layer.h"
#include "rollout/pack.h"

namespace hone {

namespace {

kernels::Pooling kernel_of(PoolingMode mode) {
  switch (mode) {
    case PoolingMode::cls: return kernels::Pooling::first;
    case PoolingMode::max: return kernels::Pooling::max;
    case PoolingMode::weightedmean: return kernels::Pooling::weighted_mean;
    case PoolingMode::lasttoken: return kernels::Pooling::last;
    case PoolingMode::mean:
    case PoolingMode::mean_sqrt_len_tokens: break;
  }
  return kernels::Pooling::mean;
}

at::Tensor pooled(PoolingMode mode, const at::Tensor& hidden_TD, const at::Tensor& start_S1) {
  const kernels::Pooling kernel = kernel_of(mode);
  const kernels::Pooled forward = kernels::pool_forward(hidden_TD.detach(), start_S1, kernel);
  const at::Tensor out_SD = forward.out_SD;
  record({hidden_TD}, {out_SD}, [start_S1, kernel, row_SD = forward.row_SD](std::vector<at::Tensor> grads) {
    return std::vector<at::Tensor>{kernels::pool_backward(grads[0].contiguous(), start_S1, kernel, {{}, row_SD})};
  });
  if (mode != PoolingMode::mean_sqrt_len_tokens) return out_SD;
  return out_SD * start_S1.diff().to(at::kFloat).sqrt().unsqueeze(1);  // sum / √n = mean · √n
}

}  // namespace

at::Tensor pooled(const PoolingPlan& plan, const at::Tensor& hidden_TD, const at::Tensor& start_S1) {
  std::vector<at::Tensor> parts;
  for (const PoolingMode mode : plan.modes) parts.push_back(pooled(mode, hidden_TD.contiguous(), start_S1));
  const at::Tensor vector_SD = parts.size() == 1 ? parts[0] : at::cat(parts, 1);
  return plan.normalize ? unit_rows(vector_SD) : vector_SD;
}

at::Tensor text_vectors(Model& model, const PoolingPlan& plan, const Batch& batch, const DropoutDraw& dropout) {
  return pooled(plan, batch_hidden(model, batch, dropout.probability, dropout.key), batch.start_S1);
}

at::Tensor text_vectors(Model& model, const PoolingPlan& plan, const Batch& batch, std::int64_t tokens_per_pass) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (const auto& sequences : cut_by_tokens(batch, tokens_per_pass)) {
    throw_if_stopped();
    parts.push_back(text_vectors(model, plan, pick_sequences(batch, sequences), DropoutDraw{}));
  }
  return at::cat(parts);
}

}  // namespace hone
