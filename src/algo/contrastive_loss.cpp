#include "algo/contrastive_loss.h"

#include "base/error.h"

namespace hone {

at::Tensor unit_rows(const at::Tensor& vector_ND) {
  return vector_ND / vector_ND.norm(2, {1}, true).clamp_min(1e-12);
}

at::Tensor info_nce_loss(const at::Tensor& anchor_PD, const at::Tensor& candidate_ND, const at::Tensor& scale) {
  HONE_ASSERT(anchor_PD.size(1) == candidate_ND.size(1) && candidate_ND.size(0) >= anchor_PD.size(0));
  const at::Tensor logit_PN = scale * anchor_PD.to(at::kDouble).mm(candidate_ND.to(at::kDouble).t());
  return -logit_PN.log_softmax(1).diagonal().mean();
}

double retrieval_accuracy(const at::Tensor& anchor_PD, const at::Tensor& candidate_ND) {
  const at::Tensor product_PN = anchor_PD.detach().to(at::kDouble).mm(candidate_ND.detach().to(at::kDouble).t());
  const at::Tensor not_beaten_P = (product_PN >= product_PN.diagonal().unsqueeze(1)).sum(1);
  return (not_beaten_P == 1).to(at::kDouble).mean().item<double>();
}

at::Tensor cosent_loss(const at::Tensor& similarity_P, const at::Tensor& value_P, double scale) {
  HONE_ASSERT(similarity_P.sizes() == value_P.sizes());
  const at::Tensor scaled_P = scale * similarity_P.to(at::kDouble);
  const at::Tensor above_PP = value_P.unsqueeze(1) > value_P.unsqueeze(0);
  const at::Tensor difference_PP = scaled_P.unsqueeze(0) - scaled_P.unsqueeze(1);
  return at::cat({at::zeros({1}, at::kDouble), difference_PP.masked_select(above_PP)}).logsumexp(0);
}

at::Tensor similarity_error_loss(const at::Tensor& similarity_P, const at::Tensor& target_P) {
  HONE_ASSERT(similarity_P.sizes() == target_P.sizes());
  return (similarity_P.to(at::kDouble) - target_P.to(at::kDouble)).square().mean();
}

}  // namespace hone
