#include "kernels/dropout/dropout.h"

#include <cmath>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/dropout/dropout_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t grain_elements = 4096;  // a multiple of 4: ranges start at a Philox block

}  // namespace

at::Tensor dropout(const at::Tensor& x, double probability, std::uint64_t key) {
  HONE_ASSERT(x.scalar_type() == at::kFloat && x.is_contiguous() && x.device().is_cpu());
  HONE_ASSERT(probability >= 0.0 && probability < 1.0);
  at::Tensor out = at::empty_like(x);
  const double threshold = std::floor(probability * 4294967296.0);
  const float scale = static_cast<float>(1.0 / (1.0 - probability));
  const float* from = x.const_data_ptr<float>();
  float* to = out.data_ptr<float>();
  const auto kernel = HONE_SELECT(dropout_range);
  parallel_for(x.numel(), grain_elements, [&](std::int64_t begin, std::int64_t end) {
    kernel(from + begin, begin / 4, end - begin, key, static_cast<std::uint32_t>(threshold), scale, to + begin);
  });
  return out;
}

}  // namespace hone::kernels
