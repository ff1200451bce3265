#include "envs/grid_board.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "base/error.h"

namespace hone {

namespace {

using Move = GridBoard::Move;

constexpr std::array<std::string_view, 4> words{"up", "down", "left", "right"};
constexpr std::array<Move, 4> moves{Move::up, Move::down, Move::left, Move::right};

}  // namespace

std::string_view word_of(Move move) { return words[static_cast<std::size_t>(move)]; }

std::optional<Move> move_of(std::string_view completion) {
  constexpr std::string_view ignored = " \t\r\n.!";
  const std::size_t first = completion.find_first_not_of(ignored);
  if (first == std::string_view::npos) return std::nullopt;
  std::string word(completion.substr(first, completion.find_last_not_of(ignored) - first + 1));
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return moves[static_cast<std::size_t>(found - words.begin())];
}

GridBoard::GridBoard(std::size_t side, std::vector<bool> walls, std::size_t walker, std::size_t goal)
    : side_(side), walls_(std::move(walls)), walker_(walker), goal_(goal), distances_(walls_.size(), -1) {
  std::deque<std::size_t> queue{goal_};
  distances_[goal_] = 0;
  for (; !queue.empty(); queue.pop_front()) {
    for (const Move move : moves) {
      const auto next = neighbour(queue.front(), move);
      if (!next || distances_[*next] >= 0) continue;
      distances_[*next] = distances_[queue.front()] + 1;
      queue.push_back(*next);
    }
  }
}

std::optional<GridBoard> GridBoard::drawn(Random& random, std::int64_t side, double walls) {
  const auto width = static_cast<std::size_t>(side);
  const std::uint64_t cells = width * width;
  const std::uint64_t walker = random.below(cells);
  const std::uint64_t goal = (walker + 1 + random.below(cells - 1)) % cells;
  std::vector<bool> wall(cells);
  for (std::uint64_t cell = 0; cell < cells; ++cell) {
    wall[cell] = random.uniform() < walls && cell != walker && cell != goal;
  }
  GridBoard board(width, std::move(wall), walker, goal);
  return board.distance() > 0 ? std::optional(std::move(board)) : std::nullopt;
}

GridBoard GridBoard::parsed(std::string_view text) {
  const std::size_t side = std::min(text.find('\n'), text.size());
  std::vector<bool> walls;
  std::optional<std::size_t> walker;
  std::optional<std::size_t> goal;
  bool square = text.size() == side * (side + 1);
  for (std::size_t i = 0; square && i < text.size(); ++i) {
    if (i % (side + 1) == side) {
      square = text[i] == '\n';
      continue;
    }
    if (text[i] == 'A') walker = walls.size();
    if (text[i] == 'G') goal = walls.size();
    walls.push_back(text[i] == '#');
  }
  if (!square || !walker || !goal) fail(ErrorKind::data, "expected a square board with A and G, got \"{}\"", text);
  return GridBoard(side, std::move(walls), *walker, *goal);
}

std::string GridBoard::text() const {
  std::string text;
  for (std::size_t cell = 0; cell < walls_.size(); ++cell) {
    text += cell == walker_ ? 'A' : cell == goal_ ? 'G' : walls_[cell] ? '#' : '.';
    if (cell % side_ == side_ - 1) text += '\n';
  }
  return text;
}

std::optional<std::size_t> GridBoard::neighbour(std::size_t cell, Move move) const {
  const std::size_t row = cell / side_;
  const std::size_t column = cell % side_;
  const bool rim = (move == Move::up && row == 0) || (move == Move::down && row == side_ - 1) ||
                   (move == Move::left && column == 0) || (move == Move::right && column == side_ - 1);
  if (rim) return std::nullopt;
  const std::size_t next = move == Move::up     ? cell - side_
                           : move == Move::down ? cell + side_
                           : move == Move::left ? cell - 1
                                                : cell + 1;
  return walls_[next] ? std::nullopt : std::optional(next);
}

bool GridBoard::move(Move move) {
  const auto next = neighbour(walker_, move);
  if (next) walker_ = *next;
  return next.has_value();
}

std::optional<Move> GridBoard::best_move() const {
  for (const Move move : moves) {
    const auto next = neighbour(walker_, move);
    if (next && distances_[*next] == distance() - 1) return move;
  }
  return std::nullopt;
}

}  // namespace hone
