#pragma once

#include <span>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Whether episodes have been judged.
enum class SavedScores { without, with };

/// Generated episodes as a checkpoint keeps them: bit for bit, but for their prompts, which the environment gives again.
Json save_episodes(std::span<const Episode> episodes, SavedScores scores = SavedScores::without);
/// Error{data} on what save_episodes did not write.
std::vector<Episode> restore_episodes(const Json& json, const Environment& environment);

}  // namespace hone
