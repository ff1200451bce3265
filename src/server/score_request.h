#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// The episodes of a POST to /v1/score, in either form:
///
///   {"protocol": 1, "items": [item…]}                              items as plugin/wire.h has them
///   {"prompts": […], "completions": […], "references": […], "metadata": [{…}…]}      the last two may be absent
///
/// A prompt is a text or a list of messages. Metadata may hold what an item has beside: group, sample, prompt_id, seed,
/// finish, turns. Without a group, episodes of equal prompts are one. Error{data} that names the item and the key.
std::vector<Episode> read_score_request(std::string_view body);

/// Calls the reward; an exception, or a wrong number of scores, makes every episode an error.
std::vector<Score> scores_of(Reward& reward, std::span<const Episode> episodes);

/// {"scores": [score…]}
std::string score_reply(std::span<const Score> scores);

/// {"error": why}
std::string error_reply(std::string_view why);

}  // namespace hone
