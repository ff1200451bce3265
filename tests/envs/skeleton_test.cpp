#include "envs/skeleton.h"

#include <doctest/doctest.h>

#include <string>

#include "rewards/skeleton.h"
#include "tests/conformance/environment_conformance.h"

namespace hone {

namespace {

/// Halves the interval until the environment ends the episode.
Episode play_by_halving(Environment& environment, const Prompt& prompt) {
  Episode played;
  played.prompt = prompt;
  std::int64_t low = std::stoll(prompt.text), high = std::stoll(prompt.text.substr(prompt.text.find('-') + 1));
  while (true) {
    const std::int64_t guess = (low + high) / 2;
    played.turns.push_back(test::episode(std::to_string(guess)).turns[0]);
    const Environment::Step step = environment.step(played);
    if (step.done) return played;
    played.turns.back().reply = step.reply;
    (step.reply == " higher\n" ? low : high) = step.reply == " higher\n" ? guess + 1 : guess - 1;
  }
}

}  // namespace

TEST_CASE("envs: the skeleton keeps the contract of environments") {
  SkeletonEnvSpec spec;
  test::check_environment(spec, {.seed = 1}, {.most_turns = 5});
}

TEST_CASE("envs: halving the interval always finds the skeleton's number within its turns") {
  const auto environment = SkeletonEnvSpec().make({.seed = 1});
  const auto reward = SkeletonRewardSpec().make({});
  for (const Split split : {Split::train, Split::held_out}) {
    for (std::uint64_t i = 0; i < environment->size(split); ++i) {
      const Prompt prompt = environment->prompt(split, i);
      const Episode played = play_by_halving(*environment, prompt);
      CHECK(played.completion_text() == prompt.reference.at("answer").as_string());
      CHECK(played.turns[0].completion.text == environment->demonstration(prompt));
      CHECK(reward->score(std::span(&played, 1))[0].value == 1.0 / static_cast<double>(played.turns.size()));
    }
  }
}

TEST_CASE("envs: the skeleton answers what is no number, and gives up after its turns") {
  const auto environment = SkeletonEnvSpec().make({.seed = 1});
  Episode played = test::episode("twelve");
  played.prompt = environment->prompt(Split::train, 0);
  for (int turn = 1; turn < 5; ++turn) {
    const Environment::Step step = environment->step(played);
    CHECK_FALSE(step.done);
    CHECK(step.reply == " what?\n");
    played.turns.push_back(test::episode(turn % 2 == 0 ? "007" : " 7").turns[0]);
  }
  CHECK(environment->step(played).done);
}

}  // namespace hone
