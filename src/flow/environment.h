#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fields.h"
#include "flow/services.h"
#include "flow/types.h"

namespace hone {

/// Where prompts come from and what answers the policy.
///
/// Call order: (prompt | demonstration)* in any order, and for each episode step* until it says done.
/// Threads: every method is called from one thread at a time. Blocking is allowed; the engine waits.
class Environment {
 public:
  struct Step {
    bool done = true;
    std::string reply;  ///< appended to the episode as text the policy did not write; empty when done
    std::optional<double> reward;  ///< for the last turn; the reward `environment` adds them up
    std::string failure;  ///< why the environment cannot go on: ends the episode, which is then masked like a failed score
  };

  virtual ~Environment() = default;

  /// How many different prompts the split has; indices run from 0 to size - 1.
  virtual std::uint64_t size(Split split) const = 0;

  /// A pure function of (seed given at construction, split, index): a resumed run sees the same prompts.
  virtual Prompt prompt(Split split, std::uint64_t index) const = 0;

  /// What a teacher would answer, for supervised stages; nullopt when the environment knows none.
  virtual std::optional<std::string> demonstration(const Prompt& prompt) const {
    (void)prompt;
    return std::nullopt;
  }

  /// Whether every first answer ends its episode and `step` need not be asked: such an episode can be scored at once.
  virtual bool single_turn() const { return false; }

  /// Replies to the last completion of the episode. Single-turn environments inherit the ending.
  virtual Step step(const Episode& episode) {
    (void)episode;
    return {};
  }

  /// `step` for several episodes that wait at the same time; an environment in another process answers them in one call.
  virtual std::vector<Step> steps(std::span<const Episode* const> episodes) {
    std::vector<Step> steps;
    steps.reserve(episodes.size());
    for (const Episode* episode : episodes) steps.push_back(step(*episode));
    return steps;
  }
};

/// The configuration of an environment; one row of the table in src/app makes it.
class EnvironmentSpec : public Component {
 public:
  virtual std::unique_ptr<Environment> make(const Services& services) const = 0;
  /// The entries of the file's `data:` map whose rows are its prompts, so that they can be checked before it is made.
  virtual std::vector<std::string> data_names() const { return {}; }
};

}  // namespace hone
