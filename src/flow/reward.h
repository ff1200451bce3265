#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
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
  /// Figures about its own work since the last time (restarts, what a plug-in tells): reported as rewards/<name>/….
  virtual std::vector<std::pair<std::string, double>> take_metrics() { return {}; }
};

enum class Normalize { off, batch, running };

/// How a reward's value enters the sum: it counts where the gate is open, is clipped, then normalised, then weighted.
struct RewardTerm {
  double weight = 1.0;
  std::optional<double> weight_end;
  std::int64_t weight_iterations = 0;
  std::vector<double> clip;
  Normalize normalize = Normalize::off;
  std::optional<std::string> only_if;
  double only_if_above = 0;

  void describe(Fields& f);
  /// After `iteration` iterations.
  double weight_at(std::int64_t iteration) const;
};

/// The configuration of a reward; one row of the table in src/app makes it. Its term belongs to the sum that the
/// rollout forms, so every reward has it without declaring it.
class RewardSpec : public Component {
 public:
  RewardTerm term;
  void describe(Fields& f) final {
    term.describe(f);
    describe_reward(f);
  }
  virtual void describe_reward(Fields& f) = 0;
  virtual std::unique_ptr<Reward> make(const Services& services) const = 0;
};

}  // namespace hone
