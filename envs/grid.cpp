#include "envs/grid.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "envs/grid_board.h"

namespace hone {

namespace {

constexpr std::uint64_t split_seed = 0;       // not the run's seed: what is held out must not depend on it
constexpr std::uint64_t held_out_every = 10;  // boards, by their hash

constexpr std::string_view how_to =
    "Walk from A to G. Each turn write one word: up, down, left or right. # is a wall.\n\n";

bool is_held_out(const std::string& board) {
  return Random(stream_key(split_seed, "grid.split:" + board)).below(held_out_every) == 0;
}

class Grid : public Environment {
 public:
  Grid(const GridSpec& spec, std::uint64_t seed)
      : spec_(spec), train_key_(stream_key(seed, "grid.board")), held_out_key_(stream_key(split_seed, "grid.board")) {}

  std::uint64_t size(Split split) const override {
    return static_cast<std::uint64_t>(split == Split::held_out ? spec_.held_out : spec_.boards);
  }

  Prompt prompt(Split split, std::uint64_t index) const override {
    HONE_ASSERT(index < size(split));
    const GridBoard board = drawn(split, index);
    Json reference = Json::object();
    reference.set("board", board.text());
    reference.set("shortest", board.distance());
    return {.id = prompt_id(split, index),
            .split = split,
            .text = fmt::format("{}{}", spec_.instructions ? how_to : "", board.text()),
            .reference = std::move(reference)};
  }

  std::optional<std::string> demonstration(const Prompt& prompt) const override {
    return std::string(word_of(board_of(prompt).best_move().value()));
  }

  // The board is played again from its start: the state is the episode itself.
  Step step(const Episode& episode) override {
    GridBoard board = board_of(episode.prompt);
    const auto start = static_cast<double>(board.distance());
    for (std::size_t turn = 0; turn + 1 < episode.turns.size(); ++turn) {
      if (const auto move = move_of(episode.turns[turn].completion.text)) board.move(*move);
    }
    const auto before = static_cast<double>(board.distance());
    const auto move = move_of(episode.completion_text());
    const bool moved = move && board.move(*move);
    const auto after = static_cast<double>(board.distance());
    Step step;
    step.reward = (board.at_goal() ? 1.0 : 0.0) - spec_.step_cost + spec_.progress * (before - after) / start;
    step.done = board.at_goal() || static_cast<std::int64_t>(episode.turns.size()) >= spec_.turns;
    if (step.done) return step;
    const std::string_view why = moved ? "" : move ? "There is no way.\n" : "Write up, down, left or right.\n";
    step.reply = fmt::format("\n{}{}", why, board.text());
    return step;
  }

 private:
  static GridBoard board_of(const Prompt& prompt) {
    return GridBoard::parsed(prompt.reference.at("board").as_string());
  }

  /// The first board of the prompt's stream that has a way and belongs to the split.
  GridBoard drawn(Split split, std::uint64_t index) const {
    Random random(split == Split::held_out ? held_out_key_ : train_key_, index);
    while (true) {
      auto board = GridBoard::drawn(random, spec_.side, spec_.walls);
      if (board && is_held_out(board->text()) == (split == Split::held_out)) return std::move(*board);
    }
  }

  GridSpec spec_;
  std::uint64_t train_key_;
  std::uint64_t held_out_key_;
};

}  // namespace

void GridSpec::describe(Fields& f) {
  f.field("side", side, "Rows and columns of the board.", between(3, 20));
  f.field("walls", walls, "Share of cells that are walls.", between(0.0, 0.6));
  f.field("boards", boards, "Boards to train on.", at_least(1));
  f.field("held_out", held_out, "Boards that are never trained on.", at_least(1));
  f.field("turns", turns, "Completions before the episode ends.", between(1, 1000));
  f.field("step_cost", step_cost, "What each turn costs.", at_least(0.0));
  f.field("progress", progress, "What coming nearer earns over a whole walk.", at_least(0.0));
  f.field("instructions", instructions, "Opens each prompt with the rules.");
}

std::unique_ptr<Environment> GridSpec::make(const Services& services) const {
  return std::make_unique<Grid>(*this, services.seed);
}

}  // namespace hone
