#include "kernels/lm_head/lm_head.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "kernels/lm_head/kept_logits.h"
#include "kernels/lm_head/lm_head_cpu.h"
#include "kernels/lm_head/row_cpu.h"
#include "kernels/linear/gemm.h"
#include "kernels/linear/linear_cpu.h"

namespace hone::kernels {

namespace {

constexpr std::int64_t logits_bytes = 32 * 1024 * 1024;
constexpr std::int64_t kept_bytes = 64 * 1024 * 1024;

/// Rows whose logits exist at a time. Even, so that pairs of bfloat16 rows in a weight gradient do not depend on it.
std::int64_t chunk_rows(std::int64_t vocabulary) {
  return std::max<std::int64_t>(2, logits_bytes / 4 / vocabulary / 2 * 2);
}

/// The first row whose logits are kept; even for the same reason.
std::int64_t first_kept(std::int64_t rows, std::int64_t vocabulary) {
  return std::max<std::int64_t>(0, rows - kept_bytes / 4 / vocabulary + 1) / 2 * 2;
}

float* logits_memory(std::int64_t rows, std::int64_t vocabulary) {
  thread_local Scratch scratch;
  return scratch.reserve<float>(rows * vocabulary);
}

void check_hidden(const at::Tensor& hidden_MD, const PackedWeight& weight) {
  HONE_ASSERT(hidden_MD.dim() == 2 && hidden_MD.size(1) == weight.in_features());
  HONE_ASSERT(hidden_MD.scalar_type() == at::kFloat && hidden_MD.is_contiguous() && hidden_MD.device().is_cpu());
}

void check_rows(const at::Tensor& tensor_M, std::int64_t rows) {
  HONE_ASSERT(tensor_M.dim() == 1 && tensor_M.size(0) == rows && tensor_M.scalar_type() == at::kFloat &&
              tensor_M.is_contiguous() && tensor_M.device().is_cpu());
}

const std::int64_t* checked_targets(const at::Tensor& target_M, std::int64_t rows, std::int64_t vocabulary) {
  HONE_ASSERT(target_M.dim() == 1 && target_M.size(0) == rows && target_M.scalar_type() == at::kLong &&
              target_M.is_contiguous());
  const std::int64_t* target = target_M.const_data_ptr<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row) {
    if (target[row] < 0 || target[row] >= vocabulary) {
      fail(ErrorKind::data,
           "target token of row {}: expected an id in [0, {}), got {}. Check that tokenizer and model belong together.",
           row, vocabulary, target[row]);
    }
  }
  return target;
}

void check_rule(const LogitRule& rule, std::int64_t vocabulary) {
  HONE_ASSERT(rule.soft_cap >= 0);
  if (rule.bias_V.defined()) check_rows(rule.bias_V, vocabulary);
}

/// The rows' products with the weight plus the rule's bias; the cap is still to come.
void uncapped_logits(const PackedWeight& weight, const LogitRule& rule, const float* hidden, std::int64_t rows,
                     float* logits) {
  multiply_forward(weight, hidden, rows, rule.bias_V.defined() ? rule.bias_V.const_data_ptr<float>() : nullptr, logits);
}

/// Calls body(first row, rows, their logits) for one chunk of the first `rows` rows after the other. The cap is left to the
/// body, which holds a row while it is in the cache.
template <class Body>
void for_each_chunk(const at::Tensor& hidden_MD, std::int64_t rows, const PackedWeight& weight, const LogitRule& rule,
                    const Body& body) {
  if (rows == 0) return;
  const std::int64_t vocabulary = weight.out_features();
  const std::int64_t chunk = std::min(rows, chunk_rows(vocabulary));
  const float* hidden = hidden_MD.const_data_ptr<float>();
  float* const logits = logits_memory(chunk, vocabulary);
  for (std::int64_t begin = 0; begin < rows; begin += chunk) {
    const std::int64_t count = std::min(chunk, rows - begin);
    uncapped_logits(weight, rule, hidden + begin * weight.in_features(), count, logits);
    body(begin, count, logits);
  }
}

/// dweight += dlogitsᵀ · hidden.
void add_weight_gradient(const float* dlogits, const float* hidden, std::int64_t rows, const PackedWeight& weight,
                         float* dweight) {
  Gemm gemm;
  gemm.rows = weight.out_features();
  gemm.columns = weight.in_features();
  gemm.depth = rows;
  gemm.a = dlogits;
  gemm.a_stride = weight.out_features();
  gemm.a_transposed = true;
  gemm.b = hidden;
  gemm.b_stride = weight.in_features();
  gemm.c = dweight;
  gemm.c_stride = weight.in_features();
  gemm.accumulate = true;
  run_gemm(gemm, weight.compute());
}

/// dbias += column sums of dlogits.
void add_bias_gradient(const float* dlogits, std::int64_t rows, std::int64_t vocabulary, float* dbias) {
  const auto add = HONE_SELECT(add_column_sums);
  parallel_for(vocabulary, 64, [&](std::int64_t begin, std::int64_t end) {
    add(dlogits, rows, vocabulary, begin, end, dbias);
  });
}

/// Statistics of all rows; `kept` may be null.
TokenStatistics statistics(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                           double inverse_temperature, bool with_entropy, const LogitRule& rule, KeptLogits* kept) {
  check_hidden(hidden_MD, weight);
  check_rule(rule, weight.out_features());
  HONE_ASSERT(inverse_temperature > 0);
  const std::int64_t rows = hidden_MD.size(0);
  const std::int64_t vocabulary = weight.out_features();
  const std::int64_t* target = checked_targets(target_M, rows, vocabulary);
  const auto scale = static_cast<float>(inverse_temperature);
  TokenStatistics result;
  result.logprob_M = at::empty({rows}, at::kFloat);
  result.lse_M = at::empty({rows}, at::kFloat);
  if (with_entropy) result.entropy_M = at::empty({rows}, at::kFloat);
  float* const logprob = result.logprob_M.mutable_data_ptr<float>();
  float* const lse = result.lse_M.mutable_data_ptr<float>();
  float* const entropy = with_entropy ? result.entropy_M.mutable_data_ptr<float>() : nullptr;
  const auto soft_cap = static_cast<float>(rule.soft_cap);
  const auto of_chunk = [&](std::int64_t first, std::int64_t count, float* logits) {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        float* row = logits + r * vocabulary;
        const std::int64_t m = first + r;
        if (soft_cap != 0) HONE_SELECT(cap_logits)(row, vocabulary, soft_cap);
        lse[m] = HONE_SELECT(row_log_sum_exp)(row, vocabulary, scale);
        logprob[m] = HONE_SELECT(row_logprob)(row, target[m], scale, lse[m]);
        if (entropy != nullptr) entropy[m] = HONE_SELECT(row_entropy)(row, vocabulary, scale, lse[m]);
      }
    });
  };
  const std::int64_t first = kept == nullptr ? rows : first_kept(rows, vocabulary);
  for_each_chunk(hidden_MD, first, weight, rule, of_chunk);
  if (first < rows) {
    kept->logits_KV = at::empty({rows - first, vocabulary}, at::kFloat);
    float* const logits = kept->logits_KV.mutable_data_ptr<float>();
    uncapped_logits(weight, rule, hidden_MD.const_data_ptr<float>() + first * weight.in_features(), rows - first, logits);
    of_chunk(first, rows - first, logits);
  }
  return result;
}

/// What the rows of a backward pass read.
struct RowGradients {
  const std::int64_t* target;
  const float* lse;
  const float* dlogprob;
  const float* entropy;   ///< null: entropy has no gradient
  const float* dentropy;  ///< likewise
  float scale;
  float soft_cap;

  /// Turns the logits of rows [first, first + count) into their gradients.
  void replace(float* logits, std::int64_t first, std::int64_t count, std::int64_t vocabulary, bool capped) const {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int64_t m = first + r;
        LogitsGradient row = {target[m], scale, lse[m], dlogprob[m], 0, 0, soft_cap};
        if (dentropy != nullptr) {
          row.dentropy = dentropy[m];
          row.entropy = entropy[m];
        }
        if (soft_cap != 0 && !capped) HONE_SELECT(cap_logits)(logits + r * vocabulary, vocabulary, soft_cap);
        HONE_SELECT(logits_gradient)(logits + r * vocabulary, vocabulary, row);
      }
    });
  }
};

}  // namespace

TokenStatistics lm_head_forward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                                double inverse_temperature, bool with_entropy, const LogitRule& rule) {
  return statistics(hidden_MD, weight, target_M, inverse_temperature, with_entropy, rule, nullptr);
}

TokenStatistics lm_head_forward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                                double inverse_temperature, bool with_entropy, const LogitRule& rule, KeptLogits& kept) {
  return statistics(hidden_MD, weight, target_M, inverse_temperature, with_entropy, rule, &kept);
}

at::Tensor lm_head_backward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                            double inverse_temperature, const TokenStatistics& forward, const at::Tensor& dlogprob_M,
                            const at::Tensor& dentropy_M, at::Tensor& dweight_VD, const LogitRule& rule,
                            at::Tensor* dbias_V) {
  return lm_head_backward(hidden_MD, weight, target_M, inverse_temperature, forward, dlogprob_M, dentropy_M, dweight_VD,
                          rule, dbias_V, KeptLogits{});
}

at::Tensor lm_head_backward(const at::Tensor& hidden_MD, const PackedWeight& weight, const at::Tensor& target_M,
                            double inverse_temperature, const TokenStatistics& forward, const at::Tensor& dlogprob_M,
                            const at::Tensor& dentropy_M, at::Tensor& dweight_VD, const LogitRule& rule,
                            at::Tensor* dbias_V, const KeptLogits& kept) {
  check_hidden(hidden_MD, weight);
  check_rule(rule, weight.out_features());
  if (dbias_V != nullptr) check_rows(*dbias_V, weight.out_features());
  const std::int64_t rows = hidden_MD.size(0);
  const std::int64_t width = weight.in_features();
  const std::int64_t vocabulary = weight.out_features();
  const std::int64_t* target = checked_targets(target_M, rows, vocabulary);
  check_rows(forward.lse_M, rows);
  check_rows(dlogprob_M, rows);
  const bool with_entropy = dentropy_M.defined();
  if (with_entropy) {
    check_rows(dentropy_M, rows);
    check_rows(forward.entropy_M, rows);
  }
  if (dweight_VD.defined()) {
    HONE_ASSERT(dweight_VD.dim() == 2 && dweight_VD.size(0) == vocabulary && dweight_VD.size(1) == width);
    HONE_ASSERT(dweight_VD.scalar_type() == at::kFloat && dweight_VD.is_contiguous());
  }
  const RowGradients gradients{target,
                               forward.lse_M.const_data_ptr<float>(),
                               dlogprob_M.const_data_ptr<float>(),
                               with_entropy ? forward.entropy_M.const_data_ptr<float>() : nullptr,
                               with_entropy ? dentropy_M.const_data_ptr<float>() : nullptr,
                               static_cast<float>(inverse_temperature),
                               static_cast<float>(rule.soft_cap)};
  at::Tensor dhidden_MD = at::empty({rows, width}, at::kFloat);
  float* const dhidden = dhidden_MD.mutable_data_ptr<float>();
  const float* const hidden = hidden_MD.const_data_ptr<float>();
  const auto add_products = [&](std::int64_t first, std::int64_t count, const float* dlogits) {
    run_gemm(backward_product(weight, dlogits, count, dhidden + first * width), weight.compute());
    if (dweight_VD.defined()) {
      add_weight_gradient(dlogits, hidden + first * width, count, weight, dweight_VD.mutable_data_ptr<float>());
    }
    if (dbias_V != nullptr) add_bias_gradient(dlogits, count, vocabulary, dbias_V->mutable_data_ptr<float>());
  };
  const std::int64_t first_kept = rows - kept.rows();
  for_each_chunk(hidden_MD, first_kept, weight, rule, [&](std::int64_t first, std::int64_t count, float* logits) {
    gradients.replace(logits, first, count, vocabulary, false);
    add_products(first, count, logits);
  });
  if (first_kept < rows) {
    auto* const logits = kept.logits_KV.mutable_data_ptr<float>();
    gradients.replace(logits, first_kept, rows - first_kept, vocabulary, true);
    add_products(first_kept, rows - first_kept, logits);
  }
  return dhidden_MD;
}

at::Tensor lm_head_logits(const at::Tensor& hidden_MD, const PackedWeight& weight, const LogitRule& rule) {
  check_hidden(hidden_MD, weight);
  check_rule(rule, weight.out_features());
  const std::int64_t rows = hidden_MD.size(0);
  const std::int64_t vocabulary = weight.out_features();
  at::Tensor logits_MV = at::empty({rows, vocabulary}, at::kFloat);
  float* const logits = logits_MV.mutable_data_ptr<float>();
  uncapped_logits(weight, rule, hidden_MD.const_data_ptr<float>(), rows, logits);
  if (rule.soft_cap != 0) {
    const auto cap = HONE_SELECT(cap_logits);
    parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
      cap(logits + begin * vocabulary, (end - begin) * vocabulary, static_cast<float>(rule.soft_cap));
    });
  }
  return logits_MV;
}

}  // namespace hone::kernels
