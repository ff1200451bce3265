#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/services.h"
#include "flow/types.h"

namespace hone {

/// Prompt, earlier completions and replies.
std::string text_before_last_completion(const Episode& episode);

/// Judges the last completion of each episode in the light of what came before it (prompt, earlier turns and replies; of
/// a prompt given as messages a conversation) and turns the scorer's values into a score: one, or as many as the scorer
/// has names. A value that is not finite is the error of that episode. `judge` names the scorer in messages.
std::vector<Score> text_scores(TextScorer& scorer, std::span<const Episode> episodes, std::string_view judge,
                               const std::function<Score(std::span<const double> values)>& to_score);

}  // namespace hone
