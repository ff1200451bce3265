#include "algo/label_loss.h"

#include "base/error.h"

namespace hone {
namespace {

at::Tensor summed(const at::Tensor& loss, double denominator) {
  if (!(denominator > 0)) {
    fail(ErrorKind::data,
         "no row of the minibatch counts towards the loss (denominator {}): the labels are missing or "
         "every class present has weight 0",
         denominator);
  }
  return loss.to(at::kDouble).sum() / denominator;
}

}  // namespace

at::Tensor classification_loss(const at::Tensor& logits_SC, const at::Tensor& target_S, const at::Tensor& weight_C,
                               double denominator) {
  HONE_ASSERT(logits_SC.dim() == 2 && target_S.size(0) == logits_SC.size(0));
  const auto target = target_S.to(at::kLong);
  auto loss = -logits_SC.log_softmax(1).gather(1, target.unsqueeze(1)).squeeze(1);
  if (weight_C.defined()) loss = loss * weight_C.index_select(0, target);
  return summed(loss, denominator);
}

double class_denominator(const at::Tensor& target_S, const at::Tensor& weight_C) {
  if (!weight_C.defined()) return static_cast<double>(target_S.size(0));
  return weight_C.index_select(0, target_S.to(at::kLong)).to(at::kDouble).sum().item<double>();
}

at::Tensor squared_error_loss(const at::Tensor& value_S, const at::Tensor& target_S, double denominator) {
  HONE_ASSERT(value_S.sizes() == target_S.sizes());
  return summed((value_S - target_S).square(), denominator);
}

at::Tensor binary_logistic_loss(const at::Tensor& logit_S, const at::Tensor& label_S, double denominator) {
  HONE_ASSERT(logit_S.sizes() == label_S.sizes());
  return summed(at::softplus(logit_S) - label_S * logit_S, denominator);
}

at::Tensor bradley_terry_loss(const at::Tensor& chosen_P, const at::Tensor& rejected_P, const at::Tensor& margin_P,
                              double denominator) {
  HONE_ASSERT(chosen_P.sizes() == rejected_P.sizes());
  auto difference = chosen_P - rejected_P;
  if (margin_P.defined()) difference = difference - margin_P;
  return summed(at::softplus(-difference), denominator);
}

}  // namespace hone
