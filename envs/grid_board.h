#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace hone {

/// A square board with walls, a goal and a walker. Cells are numbered row by row.
class GridBoard {
 public:
  enum class Move { up, down, left, right };

  /// Each cell but the two is a wall with probability `walls`; nullopt when no way leads to the goal.
  static std::optional<GridBoard> drawn(Random& random, std::int64_t side, double walls);
  /// The board that text() wrote; its walker is where it starts. Error{data} when it is none.
  static GridBoard parsed(std::string_view text);

  /// Rows of . # A G, each with a line end. At the goal the walker hides it.
  std::string text() const;
  /// Moves the walker; false where a wall or the rim is in the way.
  bool move(Move move);
  bool at_goal() const { return walker_ == goal_; }
  /// Steps from the walker to the goal.
  std::int64_t distance() const { return distances_[walker_]; }
  /// The first move of a shortest walk: the first of up, down, left, right that comes nearer. None at the goal.
  std::optional<Move> best_move() const;

 private:
  GridBoard(std::size_t side, std::vector<bool> walls, std::size_t walker, std::size_t goal);
  std::optional<std::size_t> neighbour(std::size_t cell, Move move) const;

  std::size_t side_;
  std::vector<bool> walls_;
  std::size_t walker_;
  std::size_t goal_;
  std::vector<std::int64_t> distances_;  ///< to the goal; −1 where no way leads there
};

/// The word of a move, "up".
std::string_view word_of(GridBoard::Move move);
/// The move that a completion names, by its word alone.
std::optional<GridBoard::Move> move_of(std::string_view completion);

}  // namespace hone
