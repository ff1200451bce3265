#include "algo/token_rewards.h"

#include "base/error.h"

namespace hone {

std::vector<RowReward> span_rewards(const Episode& episode, std::int64_t first_row) {
  std::vector<std::int64_t> turn_row;  // the row of each turn's first token
  auto row = first_row + static_cast<std::int64_t>(episode.prompt_ids.size());
  for (const auto& turn : episode.turns) {
    turn_row.push_back(row);
    row += static_cast<std::int64_t>(turn.completion.ids.size() + turn.reply_ids.size());
  }
  std::vector<RowReward> rewards;
  const auto turns = static_cast<std::int64_t>(episode.turns.size());
  for (const auto& span : episode.score.spans) {
    if (span.turn < 0 || span.turn >= turns) {
      fail(ErrorKind::service, "a score span names turn {} of an episode with {} turns (prompt {}); expected 0 to {}",
           span.turn, turns, episode.prompt.id, turns - 1);
    }
    const auto turn = static_cast<std::size_t>(span.turn);
    const auto tokens = static_cast<std::int64_t>(episode.turns[turn].completion.ids.size());
    if (span.end_token < 1 || span.end_token > tokens) {
      fail(ErrorKind::service, "a score span ends at token {} of turn {} (prompt {}); expected 1 to {}", span.end_token,
           span.turn, episode.prompt.id, tokens);
    }
    rewards.push_back({turn_row[turn] + span.end_token - 2, span.value});
  }
  return rewards;
}

at::Tensor last_action_rows(const at::Tensor& start_S1, const at::Tensor& mask_T) {
  const auto starts = start_S1.to(at::kLong).contiguous();
  const auto actions = (mask_T != 0).contiguous();
  const auto* start = starts.const_data_ptr<std::int64_t>();
  const bool* action = actions.const_data_ptr<bool>();
  auto last_S = at::full({starts.size(0) - 1}, -1, at::kLong);
  for (std::int64_t s = 0; s < last_S.size(0); ++s) {
    auto t = start[s + 1] - 1;
    while (t >= start[s] && !action[t]) --t;
    if (t >= start[s]) last_S.mutable_data_ptr<std::int64_t>()[s] = t;
  }
  return last_S;
}

at::Tensor score_rows(const at::Tensor& start_S1, const at::Tensor& mask_T, ScorePosition position) {
  const auto last_S = last_action_rows(start_S1, mask_T);
  if (position == ScorePosition::last_token || last_S.numel() == 0) return last_S;
  const auto before_T1 = at::cat({at::zeros({1}, at::kLong), (mask_T != 0).to(at::kLong).cumsum(0)});
  const auto actions_S = before_T1.index_select(0, start_S1.to(at::kLong)).diff();
  const auto shorter = (actions_S < actions_S.max()).logical_and(last_S >= 0);
  return last_S + shorter.to(at::kLong);
}

at::Tensor credit_mask(const at::Tensor& start_S1, const at::Tensor& mask_T, ScorePosition position) {
  const auto row_S = score_rows(start_S1, mask_T, position);
  return mask_T.index_fill(0, row_S.masked_select(row_S >= 0), 1);
}

at::Tensor token_rewards(const at::Tensor& start_S1, const at::Tensor& mask_T, const at::Tensor& score_S,
                         const at::Tensor& truncated_S, const at::Tensor& kl_T, const std::vector<RowReward>& spans,
                         const TokenRewardOptions& options) {
  HONE_ASSERT(score_S.size(0) == start_S1.size(0) - 1);
  HONE_ASSERT(options.kl_coefficient == 0 || kl_T.sizes() == mask_T.sizes());
  HONE_ASSERT(options.missing_eos_penalty == 0 || truncated_S.sizes() == score_S.sizes());
  const auto actions = mask_T != 0;
  auto reward_T = at::zeros(mask_T.sizes(), at::kDouble);
  if (options.kl_coefficient != 0) {
    reward_T = at::where(actions, kl_T.detach().to(at::kDouble) * -options.kl_coefficient, reward_T);
  }
  for (const auto& span : spans) {
    HONE_ASSERT(span.row >= 0 && span.row < reward_T.size(0));
    if (actions[span.row].item<bool>()) reward_T[span.row] += span.value;
  }
  auto score = score_S.detach().to(at::kDouble);
  if (options.missing_eos_penalty != 0)
    score = score - (truncated_S != 0).to(at::kDouble) * options.missing_eos_penalty;
  const auto row_S = score_rows(start_S1, mask_T, options.score_position);
  const auto scored = (row_S >= 0).nonzero().view({-1});
  reward_T.index_add_(0, row_S.index_select(0, scored), score.index_select(0, scored));
  return reward_T.to(score_S.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

}  // namespace hone
