#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "flow/environment.h"
#include "flow/reward.h"

/// Episodes and scores as JSON: what child processes, plug-in hosts and HTTP services see. docs/plugins.md is the
/// reference for people; a change that old plug-ins would notice raises `plugin_protocol`.
namespace hone {

inline constexpr std::int64_t plugin_protocol = 1;

/// {"prompt": text, "messages": [...] when the prompt has them, "completion": text of the last turn, "completion_ids",
///  "reference": the prompt's, "finish": "stop" | "length" | "env" | "abort", "seed", "prompt_id", "group", "sample",
///  "turns": [{"completion", "completion_ids", "reply", "reward"}] when there are several}
Json item_json(const Episode& episode, std::uint64_t seed);

/// The episode that item_json made; log-probabilities and prompt ids are not in it. Error{data} that names the key.
struct Item {
  Episode episode;
  std::uint64_t seed = 0;
};
Item item_from_json(const Json& json);

/// A number is a score, null abstains, a map has "value", "parts", "note", "status", "reason" and "spans" ([turn,
/// end_token, value] each). A map may also be {"error": why}. What is none of these is a Score::error of reason
/// "protocol": one bad item does not spoil its neighbours.
Score score_from_json(const Json& json);
/// The shortest of these forms.
Json score_json(const Score& score);

/// {"text" or "messages", "reference", "demonstration" when the environment knows one}
Json prompt_json(const Prompt& prompt, const std::optional<std::string>& demonstration);
struct WirePrompt {
  Prompt prompt;  ///< without id and split
  std::optional<std::string> demonstration;
};
WirePrompt prompt_from_json(const Json& json);

/// {"done": true} or {"reply": text}, either with "reward"; or {"error": why}, when the environment cannot go on
Json step_json(const Environment::Step& step);
Environment::Step step_from_json(const Json& json);

std::string_view scope_name(RewardScope scope);  ///< sample | group | batch
RewardScope scope_from_name(std::string_view name);

}  // namespace hone
