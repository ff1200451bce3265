#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "flow/environment.h"

namespace hone {

/// The ids that a prompt's episodes begin with. Error{data} for a prompt of messages, and for an empty one where the
/// tokenizer has no bos token.
std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, const Prompt& prompt);

/// What one collection draws.
struct CollectPlan {
  Split split = Split::train;
  std::int64_t samples = 1;    ///< episodes a prompt: a group
  std::uint64_t key = 0;       ///< stream of the run and the purpose
  std::uint64_t visit = 0;     ///< global rollout index, so that a prompt seen again draws anew
  std::int64_t max_turns = 8;  ///< an episode that has not ended by then is cut (finish: env)
};

/// Plays `plan.samples` episodes for each prompt index: generate, let the environment reply, until every episode ends.
/// Episodes of a prompt are adjacent and share `group`. They are not scored yet.
std::vector<Episode> collect(Engine& engine, const Tokenizer& tokenizer, Environment& environment,
                             std::span<const std::uint64_t> prompt_indices, const SamplingConfig& sampling,
                             const CollectPlan& plan);

}  // namespace hone
