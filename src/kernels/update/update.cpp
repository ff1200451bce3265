#include "kernels/update/update.h"

#include "base/error.h"
#include "base/threads.h"
#include "kernels/update/update_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t chunk = 16384;  // elements: the least worth another thread

void check_flat(const at::Tensor& tensor, std::int64_t size) {
  HONE_ASSERT(tensor.dim() == 1 && tensor.size(0) == size && tensor.scalar_type() == at::kFloat &&
              tensor.is_contiguous() && tensor.device().is_cpu());
}

}  // namespace

void lion_update(float* weight, const float* grad, float* momentum, std::int64_t count, const Lion& rule) {
  const LionFactors factors{.beta1 = static_cast<float>(rule.beta1),
                            .share1 = static_cast<float>(1.0 - rule.beta1),
                            .beta2 = static_cast<float>(rule.beta2),
                            .share2 = static_cast<float>(1.0 - rule.beta2),
                            .grad_scale = static_cast<float>(rule.grad_scale),
                            .decay = static_cast<float>(1.0 - rule.learning_rate * rule.weight_decay),
                            .learning_rate = static_cast<float>(rule.learning_rate)};
  HONE_SELECT(lion_range)(weight, grad, momentum, count, factors);
}

void sgd_update(float* weight, const float* grad, float* momentum, std::int64_t count, const Sgd& rule) {
  HONE_ASSERT((momentum != nullptr) == (rule.momentum > 0));
  const SgdFactors factors{.grad_scale = static_cast<float>(rule.grad_scale),
                           .weight_decay = static_cast<float>(rule.weight_decay),
                           .momentum = static_cast<float>(rule.momentum),
                           .of_gradient = rule.nesterov ? 1.0f : 0.0f,
                           .of_momentum = rule.nesterov ? static_cast<float>(rule.momentum) : 1.0f,
                           .learning_rate = static_cast<float>(rule.learning_rate)};
  if (momentum == nullptr) {
    HONE_SELECT(plain_sgd_range)(weight, grad, count, factors);
  } else {
    HONE_SELECT(sgd_range)(weight, grad, momentum, count, factors);
  }
}

void move_average(at::Tensor& average, const at::Tensor& value, double share) {
  const std::int64_t size = value.numel();
  check_flat(average, size);
  check_flat(value, size);
  const auto update = HONE_SELECT(average_range);
  float* const a = average.mutable_data_ptr<float>();
  const float* const v = value.const_data_ptr<float>();
  parallel_for(size, chunk, [&](std::int64_t begin, std::int64_t end) {
    update(a + begin, v + begin, end - begin, static_cast<float>(share));
  });
}

}  // namespace hone::kernels
