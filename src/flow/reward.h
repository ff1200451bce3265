#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/fields.h"
#include "flow/services.h"
#include "flow/types.h"

namespace hone {

/// What a reward must see in one call.
enum class RewardScope {
  sample,  ///< any episodes, in any grouping
  group,   ///< all episodes of a prompt, together and adjacent
  batch,   ///< everything the iteration collected
};

/// Judges finished episodes.
///
/// Call order: score* . Threads: as many calls at once as calls_at_once() says, never one that shares an episode with
/// another. Blocking is allowed.
/// Returns one score an episode, in order. What cannot be judged is a Score::error or Score::abstain, never a 0.
/// An exception marks every episode of the call as an error; it does not end the run.
/// Texts are valid UTF-8 without special tokens.
class Reward {
 public:
  virtual ~Reward() = default;
  virtual RewardScope scope() const { return RewardScope::sample; }
  /// 0: one call at a time, between generations: for what computes with the run's own threads. Otherwise calls run on
  /// threads of their own while generation goes on, this many at once.
  virtual std::int64_t calls_at_once() const { return 0; }
  /// Most episodes that one call should bring, groups kept whole; 0: any number.
  virtual std::int64_t call_size() const { return 0; }
  virtual std::vector<Score> score(std::span<const Episode> episodes) = 0;
};

/// The configuration of a reward; one row of the table in src/app makes it. `weight` belongs to the sum that the
/// rollout forms, so every reward has it without declaring it.
class RewardSpec : public Component {
 public:
  double weight = 1.0;
  void describe(Fields& f) final {
    f.field("weight", weight, "Factor of this reward in the sum.");
    describe_reward(f);
  }
  virtual void describe_reward(Fields& f) = 0;
  virtual std::unique_ptr<Reward> make(const Services& services) const = 0;
};

}  // namespace hone
