#pragma once

#include <cstdint>
#include <memory>

#include "flow/environment.h"

namespace hone {

/// A walk on a small board, one step a turn:
///
///     "… A..\n.#.\n.#G\n"  →  "right"  ←  "\n.A.\n.#.\n.#G\n"  →  "right"  ←  …     reference {"board", "shortest": 4}
///
/// A is the walker, G the goal, # a wall. A completion is one of the words up, down, left and right, white space and a
/// full stop aside; anything else, walls and the rim leave the walker where it is and say so. The episode ends at the
/// goal or after `turns` completions. The reward of a turn:
///
///     [goal reached] − step_cost + progress · (d_before − d_after) / d_start       d: steps to the goal
///
/// The last term adds up to `progress` for every walk that arrives, by whatever way (potential-based shaping, Ng et al.
/// 1999). Boards are drawn at random among those with a way to the goal; a board's own hash decides whether it is held
/// out, so the splits share none, while a board may occur twice within a split. The demonstration is the first word of
/// a shortest walk.
class GridSpec : public EnvironmentSpec {
 public:
  std::int64_t side = 5;
  double walls = 0.2;
  std::int64_t boards = 10000;
  std::int64_t held_out = 500;
  std::int64_t turns = 20;
  double step_cost = 0.01;
  double progress = 0.5;
  bool instructions = true;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
