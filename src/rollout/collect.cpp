#include "rollout/collect.h"

#include <utility>

#include "base/error.h"
#include "base/random.h"

namespace hone {

std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, const Prompt& prompt) {
  if (!prompt.messages.empty()) {
    fail(ErrorKind::data, "prompt {} consists of messages, and this tokenizer has no chat template; use `text` prompts",
         prompt.id);
  }
  std::vector<std::int32_t> ids = tokenizer.encode(prompt.text, AddSpecial::yes);
  if (ids.empty() && tokenizer.bos_id().has_value()) ids.push_back(*tokenizer.bos_id());
  if (ids.empty()) fail(ErrorKind::data, "prompt {} is empty and the tokenizer has no bos token to start from", prompt.id);
  return ids;
}

namespace {

std::vector<Episode> start_episodes(const Tokenizer& tokenizer, const Environment& environment,
                                    std::span<const std::uint64_t> prompt_indices, const CollectPlan& plan) {
  std::vector<Episode> episodes;
  episodes.reserve(prompt_indices.size() * static_cast<std::size_t>(plan.samples));
  for (std::size_t group = 0; group < prompt_indices.size(); ++group) {
    Episode episode;
    episode.prompt = environment.prompt(plan.split, prompt_indices[group]);
    episode.prompt_ids = encode_prompt(tokenizer, episode.prompt);
    episode.group = static_cast<std::int64_t>(group);
    episode.visit = plan.visit;
    for (episode.sample = 0; episode.sample < plan.samples; ++episode.sample) episodes.push_back(episode);
  }
  return episodes;
}

Request request_for(const Episode& episode, std::uint64_t key) {
  return {.context = episode.token_stream(),
          .key = key,
          .prompt_id = episode.prompt.id,
          .sample = static_cast<std::uint32_t>(episode.sample),
          .first_position = static_cast<std::uint32_t>(episode.completion_tokens())};
}

/// Lets the environment reply to the last turn. Returns whether the episode goes on: not when it has had its turns, nor
/// when the reply leaves no room in the model's context (finish: length).
bool reply(const Tokenizer& tokenizer, Environment& environment, Episode& episode, std::int64_t max_turns,
           std::int64_t context) {
  const Environment::Step step = environment.step(episode);
  if (step.done) return false;
  Turn& turn = episode.turns.back();
  if (static_cast<std::int64_t>(episode.turns.size()) == max_turns) {
    turn.completion.finish = FinishReason::env;
    return false;
  }
  std::vector<std::int32_t> ids = tokenizer.encode(step.reply);
  if (static_cast<std::int64_t>(episode.token_stream().size() + ids.size()) >= context) {
    turn.completion.finish = FinishReason::length;
    return false;
  }
  turn.reply = step.reply;
  turn.reply_ids = std::move(ids);
  return true;
}

}  // namespace

std::vector<Episode> collect(Engine& engine, const Tokenizer& tokenizer, Environment& environment,
                             std::span<const std::uint64_t> prompt_indices, const SamplingConfig& sampling,
                             const CollectPlan& plan) {
  std::vector<Episode> episodes = start_episodes(tokenizer, environment, prompt_indices, plan);
  const std::uint64_t key = stream_key(plan.key, "visit/" + std::to_string(plan.visit));
  std::vector<std::size_t> open(episodes.size());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  while (!open.empty()) {
    std::vector<Request> requests;
    requests.reserve(open.size());
    for (const std::size_t i : open) requests.push_back(request_for(episodes[i], key));
    std::vector<Completion> completions = engine.generate(requests, sampling);
    std::vector<std::size_t> still_open;
    for (std::size_t i = 0; i < open.size(); ++i) {
      Episode& episode = episodes[open[i]];
      episode.turns.push_back({.completion = std::move(completions[i])});
      if (reply(tokenizer, environment, episode, plan.max_turns, engine.context())) still_open.push_back(open[i]);
    }
    open = std::move(still_open);
  }
  return episodes;
}

}  // namespace hone
