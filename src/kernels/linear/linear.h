#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

/// Matrix products with a weight W [N, K] as torch stores it. Every GEMM of hone is behind this header.
///
/// Rows are invariant: row t of a result depends on row t of the input alone, to the bit, whatever T and the number of
/// threads are. Each output element is one chain of fused multiply-adds over k in ascending order.
///
/// With Compute::bfloat16 both operands are rounded to bfloat16 (to nearest, ties to even) and products are summed in
/// float32. Compute::int8 is for inference: rows of W (once) and rows of the input (at each call) become integers in
/// [-127, 127] times one scale a row, products are summed exactly, and every instruction set gives the same bits; rows
/// that hold NaN or infinity give NaN. Inputs and results are float32 tensors always. All tensors are contiguous and on
/// the CPU.
namespace hone::kernels {

enum class Compute { float32, bfloat16, int8 };

/// The compute copy of one weight: packed once an optimizer step, read by rollout, training and scoring alike.
class PackedWeight {
 public:
  /// `trainable` also keeps what linear_backward_input needs; it must be false for int8, which takes K ≤ 65536.
  PackedWeight(std::int64_t out_features, std::int64_t in_features, Compute compute, bool trainable);
  ~PackedWeight();
  PackedWeight(PackedWeight&&) noexcept;
  PackedWeight& operator=(PackedWeight&&) noexcept;

  /// Packs the current values. A trainable float32 weight must stay alive and unchanged until the next refresh, since
  /// backward reads it directly; any other `weight_NK` may be dropped after the call.
  void refresh(const at::Tensor& weight_NK);

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
