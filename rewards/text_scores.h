#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "flow/services.h"
#include "flow/types.h"

namespace hone {

/// Judges the last completion of each episode in the light of what came before it (prompt, earlier turns and replies)
/// and turns the scorer's value into a score. A value that is not finite, and a prompt given as messages instead of
/// text, is the error of that episode. `judge` names the scorer in messages.
std::vector<Score> text_scores(TextScorer& scorer, std::span<const Episode> episodes, std::string_view judge,
                               const std::function<Score(double value)>& to_score);

}  // namespace hone
