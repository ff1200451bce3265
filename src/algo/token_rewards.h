#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "flow/types.h"

namespace hone {

/// A reward that lands on one row of a packed batch.
struct RowReward {
  std::int64_t row = 0;
  double value = 0;
};

/// Where the spans of an episode's score land, given the row of its first prompt token: a span that ends at token e of
/// turn i lands on the row that predicts token e - 1 of that turn. Spans come on top of the score's value.
/// Error{service} for a span outside its turn or episode.
std::vector<RowReward> span_rewards(const Episode& episode, std::int64_t first_row);

/// The row that a score lands on. last_token: the last action. after_last: the row after it, which has seen the whole
/// episode, where the episode has fewer actions than the longest of the batch; the others have it on their last action.
/// So it comes out where episodes are padded to the longest (TRL's PPOTrainer), and the critic learns that row too.
enum class ScorePosition { last_token, after_last };
inline constexpr std::array<std::string_view, 2> score_position_names = {"last_token", "after_last"};

/// The row of each sequence's score, int64 [S]; -1 where it has no action row.
at::Tensor score_rows(const at::Tensor& start_S1, const at::Tensor& mask_T, ScorePosition position);

/// mask_T and the rows of the scores: the rows whose values credit flows through.
at::Tensor credit_mask(const at::Tensor& start_S1, const at::Tensor& mask_T, ScorePosition position);

struct TokenRewardOptions {
  double kl_coefficient = 0;       ///< β
  double missing_eos_penalty = 0;  ///< subtracted from the score of a truncated episode
  ScorePosition score_position = ScorePosition::last_token;
};

/// The reward of each row (Ziegler et al. 2019, equation 2):
///     r_t = -β·kl_t    at every action row (mask_T 1),
/// plus the score of the sequence at its row of score_rows, plus the spans. 0 at rows that are no action: a sequence
/// without action rows (a failed episode) gets nothing, its score is not read.
///
/// kl_T: k1 of the log-probabilities kept at sampling; undefined when β is 0. truncated_S (bool) may be undefined when
/// there is no penalty. The result is float32 (float64 when score_S is) and carries no gradient.
at::Tensor token_rewards(const at::Tensor& start_S1, const at::Tensor& mask_T, const at::Tensor& score_S,
                         const at::Tensor& truncated_S, const at::Tensor& kl_T, const std::vector<RowReward>& spans,
                         const TokenRewardOptions& options);

/// The last action row of each sequence, int64 [S]; -1 where there is none.
at::Tensor last_action_rows(const at::Tensor& start_S1, const at::Tensor& mask_T);

}  // namespace hone
