#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "flow/environment.h"
#include "stages/rl_sections.h"
#include "stages/trainer_state.h"

namespace hone {

/// The scored groups of the last iterations, to be learned from again (experience replay). Their log-probabilities stay
/// those of the weights that drew them.
class PastGroups {
 public:
  /// `key` is the stream of the draws.
  PastGroups(const PastConfig& config, std::uint64_t key) : config_(config), key_(key) {}

  /// Groups of earlier iterations, `config.groups` of them or all there are, none twice; numbered from `first_group` on.
  std::vector<Episode> draw(std::int64_t iteration, std::int64_t first_group) const;
  /// Keeps what this iteration collected and forgets what is too old.
  void keep(std::int64_t iteration, std::span<const Episode> episodes);
  void exchange(TrainerState& state, const Environment& environment);

 private:
  struct Kept {
    std::int64_t iteration = 0;
    std::vector<Episode> group;
  };
  const PastConfig& config_;
  std::uint64_t key_;
  std::vector<Kept> kept_;
};

}  // namespace hone
