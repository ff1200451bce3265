#include "rollout/collect.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "text/chat_format.h"

namespace hone {

namespace {

std::string place_of(const Prompt& prompt) { return fmt::format("prompt {}", prompt.id); }

/// What the policy reads behind its last answer: the reply as it is, and in a conversation a turn of the user.
std::vector<std::int32_t> encode_reply(const Tokenizer& tokenizer, const Episode& episode, const std::string& reply) {
  const Prompt& prompt = episode.prompt;
  if (prompt.messages.empty()) return tokenizer.encode(reply);
  return encode_chat_reply(tokenizer, {to_json(prompt.messages), prompt.tools}, episode.turns.back().completion.ids,
                           reply, place_of(prompt));
}

}  // namespace

std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, const Prompt& prompt) {
  if (!prompt.messages.empty()) {
    return encode_chat(tokenizer, {to_json(prompt.messages), prompt.tools}, GenerationPrompt::yes, place_of(prompt));
  }
  std::vector<std::int32_t> ids = tokenizer.encode(prompt.text, AddSpecial::yes);
  if (ids.empty() && tokenizer.bos_id().has_value()) ids.push_back(*tokenizer.bos_id());
  if (ids.empty()) fail(ErrorKind::data, "prompt {} is empty and the tokenizer has no bos token to start from", prompt.id);
  return ids;
}

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

namespace {

/// The state of one play.
class Play {
 public:
  Play(Engine& engine, const Tokenizer& tokenizer, Environment& environment, const CollectPlan& plan,
       std::span<Episode> episodes, const GroupEnded& group_ended)
      : engine_(engine),
        tokenizer_(tokenizer),
        environment_(environment),
        plan_(plan),
        episodes_(episodes),
        group_ended_(group_ended),
        open_in_group_(episodes.size() / static_cast<std::size_t>(plan.samples), 0) {}

  void run(const SamplingConfig& sampling) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < episodes_.size(); ++i) {
      if (!is_open(episodes_[i])) continue;
      open.push_back(i);
      ++open_in_group_[i / static_cast<std::size_t>(plan_.samples)];
    }
    while (!open.empty()) {
      std::vector<Request> requests;
      requests.reserve(open.size());
      for (const std::size_t i : open) requests.push_back(request_for(episodes_[i]));
      engine_.generate(requests, sampling, nullptr, [&](std::size_t request, Completion& completion) {
        Episode& episode = episodes_[open[request]];
        write(episode, std::move(completion));
        if (environment_.single_turn() && !is_open(episode)) end(open[request]);
      });
      if (environment_.single_turn()) return;
      open = answer(open);
    }
  }

 private:
  /// Random numbers go by the visit in which the episode was begun.
  Request request_for(const Episode& episode) const {
    Request request{.key = stream_key(plan_.key, "visit/" + std::to_string(episode.visit)),
                    .prompt_id = episode.prompt.id,
                    .sample = static_cast<std::uint32_t>(episode.sample),
                    .first_position = static_cast<std::uint32_t>(episode.completion_tokens())};
    (engine_.encodes() ? request.source : request.context) = episode.token_stream();
    if (plan_.token_budget == 0) return request;
    HONE_ASSERT(!engine_.encodes());
    request.budget = plan_.token_budget;
    if (!episode.turns.empty() && is_open(episode)) {
      request.written = static_cast<std::uint32_t>(episode.turns.back().completion.ids.size());
    }
    return request;
  }

  /// A new turn, or more of one that was left open.
  static void write(Episode& episode, Completion drawn) {
    if (episode.turns.empty() || !is_open(episode)) {
      episode.turns.push_back({.completion = std::move(drawn)});
      return;
    }
    Completion& completion = episode.turns.back().completion;
    const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(completion.ids, drawn.ids);
    append(completion.logprob, drawn.logprob);
    append(completion.sampler_logprob, drawn.sampler_logprob);
    append(completion.version, drawn.version);
    completion.text = std::move(drawn.text);
    completion.finish = drawn.finish;
  }

  void end(std::size_t index) {
    const std::size_t group = index / static_cast<std::size_t>(plan_.samples);
    if (--open_in_group_[group] > 0 || !group_ended_) return;
    group_ended_(group * static_cast<std::size_t>(plan_.samples), static_cast<std::size_t>(plan_.samples));
  }

  /// Lets the environment reply to the episodes. Those that go on.
  std::vector<std::size_t> answer(const std::vector<std::size_t>& open) {
    std::vector<std::size_t> answered;  // the others are left for another call
    std::ranges::copy_if(open, std::back_inserter(answered), [&](std::size_t i) { return !is_open(episodes_[i]); });
    if (answered.empty()) return {};
    std::vector<const Episode*> waiting;
    for (const std::size_t i : answered) waiting.push_back(&episodes_[i]);
    const std::vector<Environment::Step> steps = environment_.steps(waiting);
    HONE_ASSERT(steps.size() == waiting.size());
    std::vector<std::size_t> still_open;
    for (std::size_t i = 0; i < answered.size(); ++i) {
      if (goes_on(episodes_[answered[i]], steps[i])) {
        still_open.push_back(answered[i]);
      } else {
        end(answered[i]);
      }
    }
    return still_open;
  }

  /// Not when the environment ends it, when it has had its turns (finish: env), nor when its tokens are spent or the reply
  /// leaves no room in the model's context (finish: length).
  bool goes_on(Episode& episode, const Environment::Step& step) const {
    Turn& turn = episode.turns.back();
    turn.reward = step.reward;
    episode.failure = step.failure;
    if (step.done || !step.failure.empty()) return false;
    if (engine_.encodes()) {
      fail(ErrorKind::config, "prompt {}: the environment goes on after an answer, which needs a causal decoder: an "
           "encoder-decoder model reads its prompt once", episode.prompt.id);
    }
    if (static_cast<std::int64_t>(episode.turns.size()) == plan_.max_turns) {
      turn.completion.finish = FinishReason::env;
      return false;
    }
    std::vector<std::int32_t> ids = encode_reply(tokenizer_, episode, step.reply);
    const bool spent = plan_.max_episode_tokens > 0 && episode.completion_tokens() >= plan_.max_episode_tokens;
    if (spent || static_cast<std::int64_t>(episode.token_stream().size() + ids.size()) >= engine_.context()) {
      turn.completion.finish = FinishReason::length;
      return false;
    }
    turn.reply = step.reply;
    turn.reply_ids = std::move(ids);
    return true;
  }

  Engine& engine_;
  const Tokenizer& tokenizer_;
  Environment& environment_;
  const CollectPlan& plan_;
  std::span<Episode> episodes_;
  const GroupEnded& group_ended_;
  std::vector<std::int64_t> open_in_group_;
};

}  // namespace

void play(Engine& engine, const Tokenizer& tokenizer, Environment& environment, const SamplingConfig& sampling,
          const CollectPlan& plan, std::span<Episode> episodes, const GroupEnded& group_ended) {
  Play(engine, tokenizer, environment, plan, episodes, group_ended).run(sampling);
}

std::vector<Episode> collect(Engine& engine, const Tokenizer& tokenizer, Environment& environment,
                             std::span<const std::uint64_t> prompt_indices, const SamplingConfig& sampling,
                             const CollectPlan& plan) {
  std::vector<Episode> episodes = start_episodes(tokenizer, environment, prompt_indices, plan);
  play(engine, tokenizer, environment, sampling, plan, episodes, nullptr);
  return episodes;
}

}  // namespace hone
