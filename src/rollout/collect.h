#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "flow/environment.h"

namespace hone {

/// The ids that a prompt's episodes begin with; the source of an encoder-decoder model. Messages are rendered by the
/// chat template with the opening of the answer. Error{config} when there is no template, Error{data} for an empty
/// prompt where the tokenizer has no bos token.
std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, const Prompt& prompt);

/// What one collection draws.
struct CollectPlan {
  Split split = Split::train;
  std::int64_t samples = 1;    ///< episodes a prompt: a group
  std::uint64_t key = 0;       ///< stream of the run and the purpose
  std::uint64_t visit = 0;     ///< global rollout index, so that a prompt seen again draws anew
  std::int64_t max_turns = 8;  ///< an episode that has not ended by then is cut (finish: env)
  std::int64_t max_episode_tokens = 0;  ///< no turn begins once the policy wrote so many (finish: length); 0: no limit
  std::int64_t token_budget = 0;  ///< of each completion in one call of play; then it is left open (is_open); 0: no limit
};

/// Episodes before their first completion, for each prompt index `plan.samples` of them, adjacent.
std::vector<Episode> start_episodes(const Tokenizer& tokenizer, const Environment& environment,
                                    std::span<const std::uint64_t> prompt_indices, const CollectPlan& plan);

/// Told the episodes [first, first + count) of a group when the last of them has ended.
using GroupEnded = std::function<void(std::size_t first, std::size_t count)>;

/// Whether the episode has not ended: it was not begun, or its last completion was left by a budget of tokens.
inline bool is_open(const Episode& episode) {
  return episode.turns.empty() || episode.turns.back().completion.finish == FinishReason::abort;
}

/// Generates and lets the environment reply until every episode has ended, or is left for another call where there is a
/// token_budget: those that are open go on where they were left, as if they never had been, but for the weights. Episodes
/// keep their places. Error{config} when an episode with an encoder-decoder model would go on after its first turn.
void play(Engine& engine, const Tokenizer& tokenizer, Environment& environment, const SamplingConfig& sampling,
          const CollectPlan& plan, std::span<Episode> episodes, const GroupEnded& group_ended);

/// Plays `plan.samples` episodes for each prompt index: generate, let the environment reply, until every episode ends.
/// Episodes of a prompt are adjacent and share `group`. They are not scored yet.
std::vector<Episode> collect(Engine& engine, const Tokenizer& tokenizer, Environment& environment,
                             std::span<const std::uint64_t> prompt_indices, const SamplingConfig& sampling,
                             const CollectPlan& plan);

}  // namespace hone
