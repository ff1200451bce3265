#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string_view>

namespace hone {

/// How far a student's distribution of the next token is from its teacher's. With t and s the probabilities that teacher
/// and student give, both of logits / temperature:
///     forward_kl   KL(t‖s)                            Hinton et al. 2015: the student covers all that the teacher may say
///     reverse_kl   KL(s‖t)                            Gu et al. 2024 (MiniLLM): it says only what the teacher may say
///     jsd          w·KL(t‖m) + (1 - w)·KL(s‖m),       Agarwal et al. 2024 (GKD), equation 1, m = w·t + (1 - w)·s
/// in nats.
enum class Divergence { forward_kl, reverse_kl, jsd };
inline constexpr std::array<std::string_view, 3> divergence_names = {"forward_kl", "reverse_kl", "jsd"};

struct DivergenceOptions {
  Divergence divergence = Divergence::forward_kl;
  double jsd_weight = 0.5;  ///< w, in (0, 1)
  double temperature = 1;
};

/// Divergence of each row: [C]. With `gradient` student_CV becomes the derivative of the rows' divergences by the student's
/// logits. No gradient of its own: see LmHead::row_losses.
at::Tensor divergence_of_rows(at::Tensor& student_CV, const at::Tensor& teacher_CV, const DivergenceOptions& options,
                              bool gradient);

}  // namespace hone
