#include "algo/distillation_loss.h"

#include <cmath>

#include "base/error.h"

namespace hone {
namespace {

/// KL(p‖q) of each row from log-probabilities.
at::Tensor kl(const at::Tensor& log_p_CV, const at::Tensor& log_q_CV) {
  return (log_p_CV.exp() * (log_p_CV - log_q_CV)).sum(1);
}

}  // namespace

at::Tensor divergence_of_rows(at::Tensor& student_CV, const at::Tensor& teacher_CV, const DivergenceOptions& options,
                              bool gradient) {
  HONE_ASSERT(student_CV.sizes() == teacher_CV.sizes() && options.temperature > 0);
  const at::NoGradGuard no_grad;
  const double scale = 1 / options.temperature;
  const at::Tensor student = (student_CV * scale).log_softmax(1), teacher = (teacher_CV * scale).log_softmax(1);
  if (options.divergence == Divergence::forward_kl) {
    const at::Tensor divergence = kl(teacher, student);
    if (gradient) student_CV.copy_((student.exp() - teacher.exp()) * scale);
    return divergence;
  }
  // Both others are (1 - w)·KL(s‖m) and a part of the teacher's, whose derivative cancels: reverse_kl is w = 0, m = t.
  const bool mixed = options.divergence == Divergence::jsd;
  const double w = mixed ? options.jsd_weight : 0;
  HONE_ASSERT(!mixed || (w > 0 && w < 1));
  const at::Tensor mixture = mixed ? at::logaddexp(student + std::log1p(-w), teacher + std::log(w)) : teacher;
  const at::Tensor from_student = kl(student, mixture);
  if (gradient) {
    student_CV.copy_(student.exp() * (student - mixture - from_student.unsqueeze(1)) * ((1 - w) * scale));
  }
  return mixed ? w * kl(teacher, mixture) + (1 - w) * from_student : from_student;
}

}  // namespace hone
