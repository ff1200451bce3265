#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string_view>

/// Losses that learn from which answer people prefer, as functions of the log-probabilities of whole answers. Shape
/// suffixes: P pairs, S single answers. log-probabilities are float64 sums over an answer's tokens, its
/// end-of-sequence included; results carry the gradient of the policy's. None knows a batch: each loss is that of one
/// pair or answer, so parts of a batch add up exactly.
namespace hone {

/// With c and r the policy's log-probabilities of the chosen and the rejected answer, |c| and |r| their tokens, c', r'
/// the reference's, and
///     Δ = (c - c') - (r - r')        Δn = (c - c')/|c| - (r - r')/|r|
///     S(z) = (1 - ε)·softplus(-z) + ε·softplus(z)          ε: label_smoothing
/// the losses are
///     sigmoid        S(βΔ)                  Rafailov et al. 2023, equation 7; ε > 0: Mitchell 2023, "cDPO"
///     sigmoid_norm   S(βΔn)                 Lambert et al. 2024 (Tülu 3), equation 6: length-normalised
///     hinge          max(0, 1 - βΔ)         Zhao et al. 2023 (SLiC-HF), Liu et al. 2024 (RSO)
///     ipo            (Δn - 1/(2β))²         Azar et al. 2023, equation 17, by the mean over tokens
///     robust         ((1 - ε)·softplus(-βΔ) - ε·softplus(βΔ)) / (1 - 2ε)      Chowdhury et al. 2024
///     cpo            S(β(c - r))            Xu et al. 2024: no reference
///     simpo          S(β(c/|c| - r/|r|) - γ)    Meng et al. 2024, equation 6: no reference; γ: margin
///     orpo           β·softplus(-o)         Hong et al. 2024, equation 7: no reference; β is its λ
///                    o = log odds(c/|c|) - log odds(r/|r|), odds(p) = p/(1 - p)
/// and each adds nll_weight·(-c/|c|), the likelihood of the chosen answer (ORPO and CPO: 1; Pang et al. 2024, "RPO").
enum class PreferenceLoss { sigmoid, sigmoid_norm, hinge, ipo, robust, cpo, simpo, orpo };
/// Those that need a reference.
inline constexpr std::array<std::string_view, 5> reference_loss_names = {"sigmoid", "sigmoid_norm", "hinge", "ipo",
                                                                         "robust"};
inline bool has_reference(PreferenceLoss loss) { return loss <= PreferenceLoss::robust; }

struct PreferenceOptions {
  PreferenceLoss loss = PreferenceLoss::sigmoid;
  double beta = 0.1;           ///< > 0
  double label_smoothing = 0;  ///< share of pairs that are believed to be the wrong way round, < ½
  double margin = 0;           ///< simpo alone
  double nll_weight = 0;
};

struct PairLogprobs {
  at::Tensor chosen_P, rejected_P;
  at::Tensor ref_chosen_P, ref_rejected_P;        ///< undefined for losses without a reference
  at::Tensor chosen_tokens_P, rejected_tokens_P;  ///< float64, ≥ 1
};

struct PreferenceOutcome {
  at::Tensor loss_P;
  /// What the loss takes for the rewards of the answers, without gradient: β(c - c'), β(r - r'); without a reference
  /// βc and βr, by the mean over tokens for simpo and orpo.
  at::Tensor chosen_reward_P, rejected_reward_P;
  at::Tensor nll_P;  ///< -c/|c|, without gradient
};

PreferenceOutcome preference_loss(const PairLogprobs& pairs, const PreferenceOptions& options);

struct KtoOptions {
  double beta = 0.1;
  double desirable_weight = 1, undesirable_weight = 1;
};

/// Ethayarajh et al. 2024, equations 7 and 8: with logratio the policy's log-probability less the reference's,
///     desirable     w_d·(1 - sigmoid(β(logratio - z)))
///     undesirable   w_u·(1 - sigmoid(β(z - logratio)))
/// z ≥ 0 is kto_divergence, a constant of the whole batch. desirable_S is bool.
at::Tensor kto_loss(const at::Tensor& logratio_S, const at::Tensor& desirable_S, double z, const KtoOptions& options);

/// max(0, mean(logratio)) of answers to other prompts: an estimate of the divergence from the reference, too large by
/// the mismatch.
double kto_divergence(const at::Tensor& mismatched_logratio_S);

}  // namespace hone
