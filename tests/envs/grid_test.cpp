#include "envs/grid.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "envs/grid_board.h"
#include "rewards/environment.h"
#include "tests/conformance/environment_conformance.h"
#include "tests/support/error_of.h"

namespace hone {

namespace {

/// A finished episode of a walker who always takes the best move, and its reward by the reward `environment`.
Episode best_walk(Environment& environment, const Prompt& prompt) {
  Episode episode;
  episode.prompt = prompt;
  GridBoard board = GridBoard::parsed(prompt.reference.at("board").as_string());
  while (true) {
    const auto move = board.best_move();
    REQUIRE(move.has_value());
    board.move(*move);
    episode.turns.push_back(test::episode(std::string(word_of(*move))).turns[0]);
    const Environment::Step step = environment.step(episode);
    episode.turns.back().reward = step.reward;
    if (step.done) return episode;
    episode.turns.back().reply = step.reply;
    CHECK(step.reply == "\n" + board.text());
  }
}

}  // namespace

TEST_CASE("envs: grid keeps the contract of environments") {
  GridSpec spec;
  test::check_environment(spec, {.seed = 3}, {.texts_repeat = true, .most_turns = 20});
  spec.side = 3;
  spec.walls = 0.5;
  spec.instructions = false;
  test::check_environment(spec, {.seed = 3}, {.texts_repeat = true, .most_turns = 20});
}

TEST_CASE("envs: the best walk on a grid is the shortest and earns goal, progress and the cost of its steps") {
  const auto environment = GridSpec().make({.seed = 1});
  const auto reward = EnvironmentRewardSpec().make({});
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Prompt prompt = environment->prompt(Split::train, i);
    const Episode walk = best_walk(*environment, prompt);
    const auto shortest = prompt.reference.at("shortest").as_integer();
    CHECK(static_cast<std::int64_t>(walk.turns.size()) == shortest);
    CHECK(walk.turns[0].completion.text == environment->demonstration(prompt));
    const double value = reward->score(std::span(&walk, 1)).at(0).value;
    CHECK(value == doctest::Approx(1.5 - 0.01 * static_cast<double>(shortest)));
  }
}

TEST_CASE("envs: walls, the rim and other words leave the walker where it is") {
  GridSpec spec;
  const auto environment = spec.make({.seed = 1});
  Json reference = Json::object();
  reference.set("board", "A#.\n..G\n...\n");
  Episode episode = test::episode("up");
  episode.prompt.reference = reference;
  const auto answer = [&](const char* completion) {
    episode.turns.back().completion.text = completion;
    return environment->step(episode);
  };
  CHECK(answer("up").reply == "\nThere is no way.\nA#.\n..G\n...\n");
  CHECK(answer("right").reply == "\nThere is no way.\nA#.\n..G\n...\n");
  CHECK(answer("jump").reply == "\nWrite up, down, left or right.\nA#.\n..G\n...\n");
  CHECK(answer("jump").reward == -0.01);
  CHECK(answer(" Down.\n").reply == "\n.#.\nA.G\n...\n");
  CHECK(*answer("down").reward == doctest::Approx(-0.01 + 0.5 / 3));
  episode.turns.push_back(episode.turns[0]);
  CHECK(*answer("up").reward == doctest::Approx(-0.01 - 0.5 / 3));
  CHECK(answer("right").reply == "\n.#.\n.AG\n...\n");
  episode.turns.push_back(episode.turns[0]);
  CHECK(answer("right").done);
  CHECK(*answer("right").reward == doctest::Approx(1 - 0.01 + 0.5 / 3));
}

TEST_CASE("envs: which boards the grid holds out does not depend on the seed") {
  const auto first = GridSpec().make({.seed = 1});
  const auto second = GridSpec().make({.seed = 2});
  for (std::uint64_t i = 0; i < 100; ++i) {
    CHECK(first->prompt(Split::held_out, i).text == second->prompt(Split::held_out, i).text);
    CHECK(first->prompt(Split::train, i).text != second->prompt(Split::train, i).text);
  }
}

TEST_CASE("envs: boards are read back, and what is no board is refused") {
  const std::string text = "A.#\n.#.\n..G\n";
  GridBoard board = GridBoard::parsed(text);
  CHECK(board.text() == text);
  CHECK(board.distance() == 4);
  CHECK(board.best_move() == GridBoard::Move::down);
  CHECK_FALSE(board.move(GridBoard::Move::left));
  for (const char* bad : {"", "A", "AG", "A.\nG", "AG\n", "..\n..\n", "A.\n.\n"}) {
    CAPTURE(bad);
    HONE_CHECK_ERROR(data, GridBoard::parsed(bad), "expected a square board");
  }
}

}  // namespace hone
