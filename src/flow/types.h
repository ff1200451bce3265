#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

/// The vocabulary of hone. A prompt is answered by a completion; prompt and completions with the environment's replies
/// between them are an episode; rewards put scores on it.
///
///     "37+58="  ──policy──►  "95<eos>"  ──exact_match──►  1.0
///      Prompt                Completion                   Score
///
/// prompt_ids [51 55 43 53 56 61], turns[0].completion.ids [57 53 256]; the token stream of the episode is the nine ids
/// in this order, and the loss mask covers the last three: what the policy wrote, end-of-sequence included.
namespace hone {

enum class Split { train, held_out };

/// The id of the prompt at (split, index): train and held-out prompts never share one.
inline std::uint64_t prompt_id(Split split, std::uint64_t index) {
  return index << 1 | static_cast<std::uint64_t>(split == Split::held_out);
}

struct Message {
  std::string role;  ///< system | user | assistant | tool
  std::string content;
  Json fields;  ///< an object of further members that chat templates read (tool_calls, name), or null
};

/// [{"role": …, "content": …, further members}, …]
Json to_json(const std::vector<Message>& messages);

struct Prompt {
  std::uint64_t id = 0;  ///< prompt_id(split, index): keys the random numbers of its samples
  Split split = Split::train;
  std::string text;               ///< what the policy continues; empty when `messages` is used
  std::vector<Message> messages;  ///< rendered by the chat template
  Json tools;                     ///< an array of tool descriptions for the template, or null
  Json reference;                 ///< answer, tests, label: whatever the reward needs
};

enum class FinishReason {
  stop,    ///< end-of-sequence or a stop string
  length,  ///< the token budget ran out: truncated
  env,     ///< the environment ended the episode
  abort,   ///< generation was abandoned
};

struct Completion {
  std::vector<std::int32_t> ids;  ///< what was sampled, end-of-sequence included
  /// Decoded ids without special tokens and without a matched stop string; valid UTF-8.
  std::string text;
  /// One a token: log-softmax(logits / temperature), before truncation and penalties.
  std::vector<float> logprob;
  /// One a token under the truncated distribution; empty when sampling does not truncate.
  std::vector<float> sampler_logprob;
  std::vector<std::int64_t> version;  ///< one a token: optimizer steps the policy had seen
  FinishReason finish = FinishReason::stop;
};

enum class ScoreStatus {
  ok,
  abstain,  ///< has no opinion on this episode: this part is left out
  error,    ///< failed: the episode is masked out of the update, counted and shown
};

/// Reward in the middle of an episode: `value` arrives at token `end_token` (exclusive) of turn `turn`.
struct ScoreSpan {
  std::int64_t turn = 0;
  std::int64_t end_token = 0;
  double value = 0;
};

struct Score {
  double value = 0;
  std::vector<std::pair<std::string, double>> parts;
  ScoreStatus status = ScoreStatus::ok;
  std::string note;  ///< why, for people: the error's message, the judge's words
  std::vector<ScoreSpan> spans;
  /// Of an error, one word to count by: exception, timeout, crash, protocol, not_finite, http, refused.
  std::string reason;

  static Score error(std::string why, std::string reason = "exception") {
    return {.status = ScoreStatus::error, .note = std::move(why), .reason = std::move(reason)};
  }
  static Score abstain(std::string why) { return {.status = ScoreStatus::abstain, .note = std::move(why)}; }
};

struct Turn {
  Completion completion;
  std::string reply;                    ///< the environment's, empty when the episode ended here
  std::vector<std::int32_t> reply_ids;  ///< never part of the loss
  std::optional<double> reward;         ///< what the environment gave for this turn; the reward `environment` uses it
};

struct Episode {
  Prompt prompt;
  std::vector<std::int32_t> prompt_ids;
  std::vector<Turn> turns;  ///< never empty once generation has finished
  std::int64_t group = 0;   ///< episodes of the same prompt in one collection share it
  std::int64_t sample = 0;  ///< 0 … n-1 within the group
  std::uint64_t visit = 0;  ///< global rollout index: a prompt seen again draws anew
  Score score;              ///< the weighted sum; parts hold each reward's own value by name
  std::optional<std::uint64_t> seed;  ///< that another hone asked to be used, see episode_seed
  std::string failure;      ///< why the environment could not go on; such an episode's score is an error

  /// Text of the completion of the last turn: what single-turn rewards judge.
  const std::string& completion_text() const { return turns.back().completion.text; }
  FinishReason finish() const { return turns.back().completion.finish; }
  std::int64_t completion_tokens() const;
  /// prompt ids, then completion and reply ids of every turn.
  std::vector<std::int32_t> token_stream() const;
};

/// The seed that a plug-in gets for one episode: the same after a resume, with any number of workers, in any transport.
/// Below 2^53, so that every language reads it exactly. An episode's own seed goes before. `key` is the stream of the run
/// and of the plug-in's name.
std::uint64_t episode_seed(std::uint64_t key, const Episode& episode);

}  // namespace hone
