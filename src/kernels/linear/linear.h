#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>

/// Matrix products with a weight W [N, K] as torch stores it. Every GEMM of hone is behind this header.
///
/// Rows are invariant: row t of a result depends on row t of the input alone, to the bit, whatever T and the number of
/// threads are. Each output element is one chain of fused multiply-adds over k in ascending order.
///
/// With Compute::bfloat16 both operands are rounded to bfloat16 (to nearest, ties to even) and products are summed in
/// float32. Compute::int8 is for inference: rows of W (once) and rows of the input (at each call) become integers in
/// [-127, 127] times one scale a row, products are summed exactly, and every instruction set gives the same bits; rows
/// that hold NaN or infinity give NaN. Results are float32 tensors always. So are inputs, except that with
/// Compute::bfloat16 the operands x and dy may be rounded to bfloat16 before, with the same result. All tensors are
/// contiguous and on the CPU.
namespace hone::kernels {

enum class Compute { float32, bfloat16, int8 };

/// Writes rows [begin, end) of a weight to `rows`. Called by several threads at once.
using RowReader = std::function<void(std::int64_t begin, std::int64_t end, float* rows)>;

/// Is told that rows [begin, end) of a weight are about to be packed, and may change them. Called by several threads at
/// once.
using RowHook = std::function<void(std::int64_t begin, std::int64_t end)>;

/// What a copy that never learns is read by.
struct WeightReads {
  bool products = true;  ///< linear_forward
  bool rows = false;     ///< PackedWeight::rows
};

/// The compute copy of one weight: packed once an optimizer step, read by rollout, training and scoring alike.
class PackedWeight {
 public:
  /// For products. `trainable` also keeps what linear_backward_input needs; it must be false for int8, which takes
  /// K ≤ 65536.
  PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, bool trainable);
  /// The only copy of a weight that does not learn. Its rows are as exact as they were read: they take memory of their
  /// own only where the packed words are less exact (int8 never has rows).
  PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, const WeightReads& reads);
  ~PackedWeight();
  PackedWeight(PackedWeight&&) noexcept;
  PackedWeight& operator=(PackedWeight&&) noexcept;

  /// Packs the current values. A trainable float32 weight must stay alive and unchanged until the next refresh, since
  /// backward reads it directly; any other `weight_NK` may be dropped after the call. Of a copy that keeps no rows.
  /// `before` is called once for each row, a panel of rows at a time.
  void refresh(const at::Tensor& weight_NK, const RowHook& before = nullptr);
  /// The same a few rows at a time, so that the values need not exist in float32 all at once. Not of a trainable one.
  /// `bfloat16`: every value is one in bfloat16.
  void refresh(const RowReader& read, bool bfloat16);
  bool fresh() const;  ///< refreshed at least once

  /// Rows of W in float32, [M, K]; row_M is int32, in range.
  at::Tensor rows(const at::Tensor& row_M) const;

  std::int64_t out_features() const;
  std::int64_t in_features() const;
  Compute compute() const;
  std::int64_t bytes() const;

  struct Storage;
  const Storage& storage() const { return *storage_; }

 private:
  std::unique_ptr<Storage> storage_;
};

/// y_TN = x_TK · Wᵀ + bias_N. An undefined bias means none.
at::Tensor linear_forward(const at::Tensor& x_TK, const PackedWeight& weight, const at::Tensor& bias_N = {});

/// dx_TK = dy_TN · W.
at::Tensor linear_backward_input(const at::Tensor& dy_TN, const PackedWeight& weight);

/// dweight_NK += dyᵀ · x, summed over t in ascending order. Not for int8.
void linear_backward_weight(const at::Tensor& dy_TN, const at::Tensor& x_TK, Compute compute, at::Tensor& dweight_NK);

/// dbias_N += column sums of dy.
void linear_backward_bias(const at::Tensor& dy_TN, at::Tensor& dbias_N);

}  // namespace hone::kernels
