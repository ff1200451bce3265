#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "algo/loss_rows.h"

namespace hone {

/// What the probability ratio covers: each token by itself, or the geometric mean over its sequence (GSPO, Zheng et al.
/// 2025), which moves far less and is clipped at about 3e-4 and 4e-4.
enum class RatioLevel { token, sequence };
inline constexpr std::array<std::string_view, 2> ratio_level_names = {"token", "sequence"};

/// surrogate: PPO's pessimistic bound. detached: CISPO (MiniMax 2025), where the clipped ratio is a constant factor of
/// -A·logprob, so that no token loses its gradient; clip_low 1 makes it upper-only. soft: SAPO (Gao et al. 2025), where
/// σ(τ·(r - 1))·4/τ stands for the ratio and fades instead of ending; τ 1 for A > 0, 1.05 else, and no bounds.
enum class ClipKind { surrogate, detached, soft };
inline constexpr std::array<std::string_view, 3> clip_kind_names = {"surrogate", "detached", "soft"};

struct PolicyLossOptions {
  double clip_low = 0.2;
  double clip_high = 0.2;
  double dual_clip = 0;  ///< c > 1 bounds the ratio of tokens with A < 0 (Ye et al. 2020); 0: off
  RatioLevel ratio = RatioLevel::token;
  ClipKind clip = ClipKind::surrogate;
};

/// Sums over counted rows: add up over micro-batches, then ask for means.
struct PolicyMetrics {
  double rows = 0;
  double ratio_sum = 0;
  double ratio_max = 0;
  double kl_sum = 0;        ///< of old and current policy, k3 with samples of the old one
  double clipped_low = 0;   ///< rows with A < 0 and ratio < 1 - clip_low
  double clipped_high = 0;  ///< rows with A > 0 and ratio > 1 + clip_high

  void add(const PolicyMetrics& other);
  double mean(double sum) const { return rows == 0 ? 0.0 : sum / rows; }
  double ratio_mean() const { return mean(ratio_sum); }
  double approx_kl() const { return mean(kl_sum); }
  double clip_ratio_low() const { return mean(clipped_low); }
  double clip_ratio_high() const { return mean(clipped_high); }
};

struct PolicyLoss {
  at::Tensor loss;  ///< float64 scalar, carries the gradient of logprob_M
  PolicyMetrics metrics;
};

/// Clipped policy gradient (Schulman et al. 2017, equation 7), to be minimised. With r = exp(logprob - old_logprob):
///     ℓ = max(-A·r, -A·clip(r, 1 - low, 1 + high)),  and for A < 0 with dual clip  min(ℓ, -A·c)
///     loss = Σ weight·importance·ℓ    (weights of `rows`)
/// importance_M (undefined: 1) is a constant factor, see importance_weights. A row whose ratio is clipped has gradient
/// exactly 0, however large the ratio.
PolicyLoss policy_loss(const at::Tensor& logprob_M, const at::Tensor& old_logprob_M, const at::Tensor& advantage_M,
                       const at::Tensor& importance_M, const LossRows& rows, const PolicyLossOptions& options);

}  // namespace hone
