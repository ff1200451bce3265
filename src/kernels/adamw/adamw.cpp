#include "kernels/adamw/adamw.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/adamw/adamw_cpu.h"
#include "kernels/scratch.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t chunk = 16384;  // elements: of a partial sum, and the least worth another thread

void check_flat(const at::Tensor& tensor, std::int64_t size) {
  HONE_ASSERT(tensor.dim() == 1 && tensor.size(0) == size && tensor.scalar_type() == at::kFloat &&
              tensor.is_contiguous() && tensor.device().is_cpu());
}

AdamWFactors factors_of(const AdamW& rule) {
  const auto step = static_cast<double>(rule.step);
  AdamWFactors factors;
  factors.beta2 = static_cast<float>(rule.beta2);
  factors.share1 = static_cast<float>(1.0 - rule.beta1);
  factors.share2 = static_cast<float>(1.0 - rule.beta2);
  factors.eps = static_cast<float>(rule.eps);
  factors.grad_scale = static_cast<float>(rule.grad_scale);
  factors.decay = static_cast<float>(1.0 - rule.learning_rate * rule.weight_decay);
  factors.step_size = static_cast<float>(rule.learning_rate / (1.0 - std::pow(rule.beta1, step)));
  factors.correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(rule.beta2, step)));
  return factors;
}

}  // namespace

void adamw_update(at::Tensor& weight, const at::Tensor& grad, at::Tensor& first, at::Tensor& second,
                  const AdamW& rule) {
  const std::int64_t size = grad.numel();
  check_flat(grad, size);
  check_flat(weight, size);
  check_flat(first, size);
  check_flat(second, size);
  float* const w = weight.mutable_data_ptr<float>();
  const float* const g = grad.const_data_ptr<float>();
  float* const m = first.mutable_data_ptr<float>();
  float* const v = second.mutable_data_ptr<float>();
  parallel_for(size, chunk, [&](std::int64_t begin, std::int64_t end) {
    adamw_update(w + begin, g + begin, m + begin, v + begin, end - begin, rule);
  });
}

void adamw_update(float* weight, const float* grad, float* first, float* second, std::int64_t count, const AdamW& rule) {
  HONE_ASSERT(rule.step >= 1);
  HONE_SELECT(adamw_range)(weight, grad, first, second, count, factors_of(rule));
}

double squared_norm(const at::Tensor& flat) {
  const std::int64_t size = flat.numel();
  check_flat(flat, size);
  const std::int64_t chunks = (size + chunk - 1) / chunk;
  thread_local Scratch scratch;
  double* const partial = scratch.reserve<double>(chunks);
  const float* const x = flat.const_data_ptr<float>();
  const auto sum = HONE_SELECT(sum_of_squares);
  parallel_for(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      partial[c] = sum(x + c * chunk, std::min(chunk, size - c * chunk));
    }
  });
  double total = 0;
  for (std::int64_t c = 0; c < chunks; ++c) total += partial[c];
  return total;
}

}  // namespace hone::kernels
