#include "algo/label_loss.h"

#include <vector>

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
                               double denominator, double label_smoothing) {
  HONE_ASSERT(logits_SC.dim() == 2 && target_S.size(0) == logits_SC.size(0));
  const auto target = target_S.to(at::kLong);
  auto loss_SC = -logits_SC.log_softmax(1);
  if (weight_C.defined()) loss_SC = loss_SC * weight_C;
  auto loss = loss_SC.gather(1, target.unsqueeze(1)).squeeze(1);
  if (label_smoothing > 0) loss = (1 - label_smoothing) * loss + label_smoothing * loss_SC.mean(1);
  return summed(loss, denominator);
}

at::Tensor multi_label_loss(const at::Tensor& logits_SC, const at::Tensor& target_SC, const at::Tensor& weight_C,
                            double denominator) {
  HONE_ASSERT(logits_SC.sizes() == target_SC.sizes());
  auto holds = target_SC * at::softplus(-logits_SC);
  if (weight_C.defined()) holds = holds * weight_C;
  return summed(holds + (1 - target_SC) * at::softplus(logits_SC), denominator);
}

at::Tensor span_loss(const at::Tensor& logits_T2, const at::Tensor& span_S2, const at::Tensor& start_S1,
                     double denominator) {
  HONE_ASSERT(logits_T2.dim() == 2 && logits_T2.size(1) == 2 && span_S2.size(0) == start_S1.size(0) - 1);
  const auto logits = logits_T2.to(at::kDouble);
  const auto length_S = start_S1.to(at::kLong).diff();
  const std::int64_t* length = length_S.const_data_ptr<std::int64_t>();
  std::vector<at::Tensor> sums;
  for (const at::Tensor& sequence : logits.split_with_sizes({length, static_cast<std::size_t>(length_S.size(0))})) {
    sums.push_back(sequence.logsumexp(0));
  }
  return summed(0.5 * (at::stack(sums) - logits.gather(0, span_S2)), denominator);
}

double class_denominator(const at::Tensor& target_S, const at::Tensor& weight_C) {
  if (!weight_C.defined()) return static_cast<double>(target_S.size(0));
  return weight_C.index_select(0, target_S.to(at::kLong)).to(at::kDouble).sum().item<double>();
}

at::Tensor squared_error_loss(const at::Tensor& value_S, const at::Tensor& target_S, double denominator) {
  HONE_ASSERT(value_S.sizes() == target_S.sizes());
  return summed((value_S - target_S).square(), denominator);
}

at::Tensor attribute_loss(const at::Tensor& value_SK, const at::Tensor& target_SK, const at::Tensor& weight_K,
                          double denominator) {
  HONE_ASSERT(value_SK.sizes() == target_SK.sizes() && weight_K.size(0) == target_SK.size(1));
  const auto known_SK = target_SK.isnan().logical_not();
  const auto difference = (value_SK - target_SK.nan_to_num(0)) * known_SK;
  return summed(difference.square() * weight_K, denominator);
}

double attribute_denominator(const at::Tensor& target_SK, const at::Tensor& weight_K) {
  return (target_SK.isnan().logical_not() * weight_K).sum(at::kDouble).item<double>();
}

at::Tensor respect_loss(const at::Tensor& chosen_PK, const at::Tensor& rejected_PK, const at::Tensor& side_PK,
                        const at::Tensor& weight_K, double denominator) {
  HONE_ASSERT(chosen_PK.sizes() == rejected_PK.sizes() && chosen_PK.sizes() == side_PK.sizes());
  const auto sign_PK = side_PK.nan_to_num(0).sign();
  return summed(at::softplus(-sign_PK * (chosen_PK - rejected_PK)) * sign_PK.abs() * weight_K, denominator);
}

double respect_denominator(const at::Tensor& side_PK, const at::Tensor& weight_K) {
  return (side_PK.nan_to_num(0).sign().abs() * weight_K).sum(at::kDouble).item<double>();
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

at::Tensor centering_loss(const at::Tensor& chosen_P, const at::Tensor& rejected_P, double denominator) {
  return summed((chosen_P + rejected_P).square(), denominator);
}

}  // namespace hone
