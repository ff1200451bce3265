#pragma once

#include <span>
#include <vector>

#include "flow/environment.h"

namespace hone {

/// Episodes that have been generated but not judged, as a checkpoint keeps them: bit for bit, but for their prompts, which
/// the environment gives again, and their scores.
Json save_episodes(std::span<const Episode> episodes);
/// Error{data} on what save_episodes did not write.
std::vector<Episode> restore_episodes(const Json& json, const Environment& environment);

}  // namespace hone
