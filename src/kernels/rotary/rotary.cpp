#include "kernels/rotary/rotary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/rotary/rotary_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t forward_grain = 8;
constexpr std::int64_t table_grain = 256;  // positions
constexpr std::int64_t chunk_rows = 64;    // rows of one partial weight gradient; partials are added in order

void check_floats(const at::Tensor& tensor, at::IntArrayRef sizes) {
  HONE_ASSERT(tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.device().is_cpu());
  HONE_ASSERT(tensor.sizes() == sizes);
}

RotaryArguments checked_arguments(const at::Tensor& position_T, const AttentionShape& shape,
                                  const at::Tensor& table_P2H, const QkNorm& norm) {
  HONE_ASSERT(shape.heads >= 1 && shape.kv_heads >= 1);
  HONE_ASSERT(table_P2H.dim() == 3);
  check_floats(table_P2H, {table_P2H.size(0), 2, table_P2H.size(2)});
  HONE_ASSERT(2 * table_P2H.size(2) <= shape.head_dim);
  HONE_ASSERT(position_T.dim() == 1 && position_T.scalar_type() == at::kInt && position_T.is_contiguous());
  HONE_ASSERT(norm.query_weight_D.defined() == norm.key_weight_D.defined());
  const std::int32_t* position = position_T.const_data_ptr<std::int32_t>();
  HONE_ASSERT(std::all_of(position, position + position_T.size(0),
                          [&](std::int32_t p) { return p >= 0 && p < table_P2H.size(0); }));
  RotaryArguments arguments{shape.heads,
                            shape.kv_heads,
                            shape.head_dim,
                            table_P2H.size(2),
                            position,
                            table_P2H.const_data_ptr<float>(),
                            nullptr,
                            nullptr,
                            static_cast<float>(norm.weight_offset),
                            static_cast<float>(norm.eps)};
  if (norm.defined()) {
    check_floats(norm.query_weight_D, {shape.head_dim});
    check_floats(norm.key_weight_D, {shape.head_dim});
    arguments.query_weight = norm.query_weight_D.const_data_ptr<float>();
    arguments.key_weight = norm.key_weight_D.const_data_ptr<float>();
  }
  return arguments;
}

void add_partials(const float* partial, std::int64_t chunks, std::int64_t stride, at::Tensor& gradient) {
  if (!gradient.defined()) return;
  float* to = gradient.data_ptr<float>();
  for (std::int64_t c = 0; c < chunks; ++c) {
    for (std::int64_t i = 0; i < gradient.size(0); ++i) to[i] += partial[c * stride + i];
  }
}

}  // namespace

at::Tensor rotary_table(std::int64_t positions, std::span<const float> inverse_frequency, double factor) {
  HONE_ASSERT(positions >= 0);
  const auto half = static_cast<std::int64_t>(inverse_frequency.size());
  at::Tensor table_P2H = at::empty({positions, 2, half}, at::kFloat);
  float* table = table_P2H.data_ptr<float>();
  const auto kernel = HONE_SELECT(rotary_table_rows);
  parallel_for(positions, table_grain, [&](std::int64_t begin, std::int64_t end) {
    kernel(inverse_frequency.data(), half, static_cast<float>(factor), begin, end, table);
  });
  return table_P2H;
}

at::Tensor rotary_table(std::int64_t positions, std::int64_t head_dim, double theta) {
  HONE_ASSERT(head_dim > 0 && head_dim % 2 == 0 && theta > 0);
  std::vector<float> frequency(static_cast<std::size_t>(head_dim / 2));
  for (std::size_t i = 0; i < frequency.size(); ++i) {
    const double exponent = static_cast<double>(2 * i) / static_cast<double>(head_dim);
    frequency[i] = static_cast<float>(std::pow(theta, -exponent));
  }
  return rotary_table(positions, frequency);
}

Rotated rotary_forward(const at::Tensor& qkv_TC, const at::Tensor& position_T, const AttentionShape& shape,
                       const at::Tensor& table_P2H, const QkNorm& norm) {
  const std::int64_t rows = position_T.size(0);
  check_floats(qkv_TC, {rows, shape.fused_width()});
  if (!table_P2H.defined()) {
    HONE_ASSERT(!norm.defined());
    return {qkv_TC.detach(), {}};
  }
  const RotaryArguments arguments = checked_arguments(position_T, shape, table_P2H, norm);
  Rotated result;
  result.qkv_TC = at::empty({rows, shape.fused_width()}, at::kFloat);
  if (norm.defined()) result.rstd_TH = at::empty({rows, shape.heads + shape.kv_heads}, at::kFloat);
  const float* qkv = qkv_TC.const_data_ptr<float>();
  float* out = result.qkv_TC.data_ptr<float>();
  float* rstd = norm.defined() ? result.rstd_TH.data_ptr<float>() : nullptr;
  const auto kernel = HONE_SELECT(rotary_rows);
  parallel_for(rows, forward_grain,
               [&](std::int64_t begin, std::int64_t end) { kernel(arguments, qkv, begin, end, out, rstd); });
  return result;
}

at::Tensor rotary_backward(const at::Tensor& drotated_TC, const at::Tensor& qkv_TC, const at::Tensor& rstd_TH,
                           const at::Tensor& position_T, const AttentionShape& shape, const at::Tensor& table_P2H,
                           const QkNorm& norm, at::Tensor& dquery_weight_D, at::Tensor& dkey_weight_D) {
  const std::int64_t rows = position_T.size(0);
  check_floats(drotated_TC, {rows, shape.fused_width()});
  if (!table_P2H.defined()) return drotated_TC;
  const RotaryArguments arguments = checked_arguments(position_T, shape, table_P2H, norm);
  if (norm.defined()) {
    check_floats(qkv_TC, {rows, shape.fused_width()});
    check_floats(rstd_TH, {rows, shape.heads + shape.kv_heads});
  }
  const bool with_weights = norm.defined() && (dquery_weight_D.defined() || dkey_weight_D.defined());
  for (const at::Tensor& gradient : {dquery_weight_D, dkey_weight_D}) {
    if (with_weights && gradient.defined()) check_floats(gradient, {shape.head_dim});
  }

  at::Tensor dqkv_TC = at::empty({rows, shape.fused_width()}, at::kFloat);
  const std::int64_t chunks = (rows + chunk_rows - 1) / chunk_rows;
  const std::int64_t stride = 2 * shape.head_dim;
  const at::Tensor partial_C = with_weights ? at::zeros({chunks, stride}, at::kFloat) : at::Tensor();
  const float* drotated = drotated_TC.const_data_ptr<float>();
  const float* qkv = norm.defined() ? qkv_TC.const_data_ptr<float>() : nullptr;
  const float* rstd = norm.defined() ? rstd_TH.const_data_ptr<float>() : nullptr;
  float* dqkv = dqkv_TC.data_ptr<float>();
  float* partial = with_weights ? partial_C.data_ptr<float>() : nullptr;
  const auto kernel = HONE_SELECT(rotary_backward_rows);
  parallel_for(chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      kernel(arguments, drotated, qkv, rstd, c * chunk_rows, std::min((c + 1) * chunk_rows, rows), dqkv,
             partial == nullptr ? nullptr : partial + c * stride);
    }
  });
  if (with_weights) {
    add_partials(partial, chunks, stride, dquery_weight_D);
    add_partials(partial + shape.head_dim, chunks, stride, dkey_weight_D);
  }
  return dqkv_TC;
}

}  // namespace hone::kernels
