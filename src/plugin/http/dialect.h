#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flow/types.h"

namespace hone {

/// What a scoring service speaks; docs/plugins_http.md shows each with an example.
enum class HttpDialect {
  hone,      ///< {"protocol": 1, "items": [item…]}, as child processes get them → {"scores": [score…]}
  lists,     ///< {"prompts", "completions", "references", "metadata"} → {"scores": [score…]}
  openrlhf,  ///< {"query", "prompts", "labels"} → {"rewards": [number…], "extra_logs": {name: [number…]}}
  slime,     ///< one episode a request: {"prompt", "response", "label"} → a number
};
inline constexpr std::array<std::string_view, 4> http_dialects{"hone", "lists", "openrlhf", "slime"};

/// The prompt as text: a chat's messages become one `role: content` line each.
std::string prompt_text(const Prompt& prompt);
/// Everything after the prompt: completions and the environment's replies.
std::string response_text(const Episode& episode);

/// `label_key`: what openrlhf and slime send as the label, a key of the reference; "" sends all of it. `seed_key`: see
/// episode_seed. slime: exactly one episode. Error{data} that names the key when a reference lacks it.
std::string http_request_body(HttpDialect dialect, std::span<const Episode> episodes, std::uint64_t seed_key,
                              std::string_view label_key);

/// The `count` scores of a reply. Error{data} when it is something else; a single bad score among good ones is a
/// Score::error of its own.
std::vector<Score> http_scores(HttpDialect dialect, std::string_view body, std::size_t count);

}  // namespace hone
