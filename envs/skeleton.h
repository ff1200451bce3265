#pragma once

#include <cstdint>
#include <memory>

#include "flow/environment.h"

namespace hone {

/// The environment to copy. It works: guess a hidden number within a few turns, told each time where to look.
///
///     "40-55: "  →  "47"  ←  " higher\n"  →  "51"  ←  " lower\n"  →  "49"      reference {"answer": "49", "turns": 5}
///
/// To make your own: copy both files of the pair, rename the spec, fill in the four functions of the environment in the
/// .cpp, and add one row to the table in src/app. A task with a single answer a prompt leaves out `step`.
class SkeletonEnvSpec : public EnvironmentSpec {
 public:
  // A member's initialiser is its default; `describe` gives each its key, its documentation and its bounds.
  std::int64_t width = 16;
  std::int64_t turns = 5;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
