#include "plugin/library_environment.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "plugin/library_items.h"

namespace hone {

namespace {

const hone_environment& environment_of(const Library& library) {
  if (library.environment() == nullptr) {
    fail(ErrorKind::config, "plug-in {}: offers a reward, expected an environment", library.path().string());
  }
  return *library.environment();
}

/// Stands for the first `turns` completions.
std::uint64_t transcript(const Episode& episode, std::size_t turns) {
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < turns; ++i) key = stream_key(key, episode.turns[i].completion.text);
  return key;
}

LibraryStates::Place place_of(const Episode& episode, std::uint64_t seed, std::size_t turns) {
  return {episode.prompt.id, episode.sample, seed, turns, transcript(episode, turns)};
}

}  // namespace

LibraryEnvironment::LibraryEnvironment(std::shared_ptr<Library> library, LibrarySettings settings,
                                       LibraryStates::Limits limits)
    : library_(std::move(library)),
      table_(environment_of(*library_)),
      settings_(std::move(settings)),
      who_(fmt::format("environment {} (plug-in {})", settings_.name, library_->path().string())),
      instance_(table_.create, table_.destroy, settings_, who_),
      states_(table_, instance_.get(), settings_, limits),
      train_(ask_size(HONE_SPLIT_TRAIN)),
      held_out_(ask_size(HONE_SPLIT_HELD_OUT)) {}

std::uint64_t LibraryEnvironment::ask_size(std::int32_t split) const {
  hone_call call(settings_);
  std::uint64_t size = 0;
  std::string failure = call.run([&] {
    size = table_.prompts(instance_.get(), &call, split);
    return HONE_OK;
  });
  constexpr std::uint64_t most = 1ULL << 52;  // prompt ids are twice that and have to be exact in JSON
  if (failure.empty() && size > most) failure = fmt::format("{} prompts, expected at most 2^52", size);
  if (!failure.empty()) fail(ErrorKind::service, "{}: cannot tell how many prompts there are: {}", who_, failure);
  return size;
}

std::uint64_t LibraryEnvironment::prompt_seed(Split split, std::uint64_t index) const {
  return Random(settings_.key, prompt_id(split, index)).next64() >> 11;
}

WirePrompt LibraryEnvironment::prompt(Split split, std::uint64_t index, std::uint64_t seed) const {
  hone_call call(settings_);
  const std::int32_t side = split == Split::train ? HONE_SPLIT_TRAIN : HONE_SPLIT_HELD_OUT;
  std::string failure = call.run([&] { return table_.prompt(instance_.get(), &call, side, index, seed); });
  if (failure.empty()) failure = call.flaw();
  if (failure.empty() && !call.prompt_given) failure = "the plug-in gave neither a text nor messages";
  const Prompt& prompt = call.prompt.prompt;
  if (failure.empty() && !prompt.text.empty() && !prompt.messages.empty()) {
    failure = "the plug-in gave both a text and messages";
  }
  if (!failure.empty()) {
    fail(ErrorKind::service, "{}: prompt {} of the {} split: {}", who_, index,
         split == Split::train ? "train" : "held-out", failure);
  }
  return std::move(call.prompt);
}

Prompt LibraryEnvironment::prompt(Split split, std::uint64_t index) const {
  Prompt made = prompt(split, index, prompt_seed(split, index)).prompt;
  made.split = split;
  made.id = prompt_id(split, index);
  return made;
}

std::optional<std::string> LibraryEnvironment::demonstration(const Prompt& shown) const {
  const std::uint64_t index = shown.id >> 1;
  return prompt(shown.split, index, prompt_seed(shown.split, index)).demonstration;
}

Environment::Step LibraryEnvironment::step(const Episode& episode) {
  return step(episode, episode_seed(settings_.key, episode));
}

Environment::Step LibraryEnvironment::step(const Episode& episode, std::uint64_t seed) {
  if (table_.step == nullptr) return {};
  HONE_ASSERT(!episode.turns.empty());
  try {
    const std::size_t turns = episode.turns.size();
    void* const state = state_before(episode, seed);
    Step step = replay(state, episode, seed, turns);
    if (step.done) {
      states_.close(state);
    } else if (table_.reset != nullptr) {
      states_.put(place_of(episode, seed, turns), state);
    }
    return step;
  } catch (const Error& error) {
    return {.done = true, .failure = fmt::format("{}: {}", who_, error.what())};
  }
}

/// The state in which the last completion finds the environment.
void* LibraryEnvironment::state_before(const Episode& episode, std::uint64_t seed) {
  if (table_.reset == nullptr) return nullptr;
  LibraryItems beginning;
  beginning.add(episode, seed, 0);
  const std::size_t answered = episode.turns.size() - 1;
  if (answered > 0) {
    const std::optional<void*> kept = states_.take(place_of(episode, seed, answered), beginning.data()[0]);
    if (kept) return *kept;
  }
  void* state = nullptr;
  hone_call call(settings_);
  const std::string failure =
      call.run([&] { return table_.reset(instance_.get(), &call, beginning.data()[0], &state); });
  if (!failure.empty()) fail(ErrorKind::service, "reset: {}", failure);
  for (std::size_t turns = 1; turns <= answered; ++turns) {
    const Step step = replay(state, episode, seed, turns);
    const std::string& recorded = episode.turns[turns - 1].reply;
    if (step.done || !step.reply.starts_with(recorded)) {  // a reply may have been cut to a limit
      states_.close(state);
      fail(ErrorKind::service, "step {} was repeated to make a lost state again, and gave \"{}\" where it was \"{}\"",
           turns, step.done ? "the end" : step.reply, recorded);
    }
  }
  return state;
}

/// The answer to completion `turns` (from 1), given the state before it. Closes the state when it fails.
Environment::Step LibraryEnvironment::replay(void* state, const Episode& episode, std::uint64_t seed,
                                             std::size_t turns) const {
  LibraryItems items;
  items.add(episode, seed, turns);
  hone_call call(settings_);
  std::string failure = call.run([&] { return table_.step(instance_.get(), &call, state, items.data()[0]); });
  if (failure.empty()) failure = call.flaw();
  if (failure.empty() && !call.step.done && call.step.reply.empty()) {
    failure = "an empty reply; to end the episode give none";
  }
  if (failure.empty() && call.step.reward && !std::isfinite(*call.step.reward)) {
    failure = fmt::format("the reward is {}", *call.step.reward);
  }
  if (failure.empty()) return std::move(call.step);
  states_.close(state);
  fail(ErrorKind::service, "step {}: {}", turns, failure);
}

}  // namespace hone
