#include "kernels/embedding/embedding.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/embedding/embedding_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t grain_rows = 32;
constexpr std::int64_t grain_columns = 32;  // two cache lines: threads share none

void check_floats(const at::Tensor& tensor) {
  HONE_ASSERT(tensor.dim() == 2 && tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
              tensor.device().is_cpu());
}

void check_ids(const at::Tensor& id_T, std::int64_t vocabulary) {
  HONE_ASSERT(id_T.dim() == 1 && id_T.scalar_type() == at::kInt && id_T.is_contiguous());
  const std::int32_t* id = id_T.const_data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < id_T.size(0); ++t) {
    if (id[t] < 0 || id[t] >= vocabulary) {
      fail(
          ErrorKind::data,
          "embedding: token {} of the batch has id {}, expected an id in [0, {}), the vocabulary of the model. Use the "
          "tokenizer that belongs to the model.",
          t, id[t], vocabulary);
    }
  }
}

}  // namespace

at::Tensor embedding_forward(const at::Tensor& id_T, const at::Tensor& weight_VD) {
  check_floats(weight_VD);
  check_ids(id_T, weight_VD.size(0));
  const std::int64_t width = weight_VD.size(1);
  at::Tensor out_TD = at::empty({id_T.size(0), width}, at::kFloat);
  const std::int32_t* id = id_T.const_data_ptr<std::int32_t>();
  const float* weight = weight_VD.const_data_ptr<float>();
  float* out = out_TD.data_ptr<float>();
  parallel_for(id_T.size(0), grain_rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      std::memcpy(out + t * width, weight + id[t] * width, static_cast<std::size_t>(width) * sizeof(float));
    }
  });
  return out_TD;
}

at::Tensor embedding_forward(const at::Tensor& id_T, const PackedWeight& weight) {
  check_ids(id_T, weight.out_features());
  return weight.rows(id_T);
}

void embedding_backward(const at::Tensor& dout_TD, const at::Tensor& id_T, at::Tensor& dweight_VD) {
  check_floats(dout_TD);
  check_floats(dweight_VD);
  check_ids(id_T, dweight_VD.size(0));
  const std::int64_t rows = id_T.size(0);
  const std::int64_t width = dweight_VD.size(1);
  HONE_ASSERT(dout_TD.size(0) == rows && dout_TD.size(1) == width);
  const float* dout = dout_TD.const_data_ptr<float>();
  const std::int32_t* id = id_T.const_data_ptr<std::int32_t>();
  float* dweight = dweight_VD.data_ptr<float>();
  const auto kernel = HONE_SELECT(embedding_add_columns);
  parallel_for(width, grain_columns,
               [&](std::int64_t begin, std::int64_t end) { kernel(dout, id, rows, width, begin, end, dweight); });
}

}  // namespace hone::kernels
