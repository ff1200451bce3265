#pragma once

#include <cstdint>
#include <memory>
#include <semaphore>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/reward.h"

namespace hone {

/// Whether the scores are learned from. Evaluation leaves running statistics alone and does not normalise.
enum class ScoreUse { training, evaluation };

/// The rewards of a run and their weighted sum.
///
/// score = Σ weight · term(value) over the rewards that do not abstain and whose gate is open, without renormalising. One
/// error makes the episode an error; so do abstentions by all, and values or sums that are not finite. Parts hold every
/// reward's own value by name, and its parts as name/part. A gate is open where the reward it names has a value above
/// the bound.
class RewardSum {
 public:
  /// Error{config} when there is no reward, or a gate names none of them.
  RewardSum(const std::vector<std::unique_ptr<RewardSpec>>& specs, const Services& services);

  /// Fills `score` of each episode. Episodes of a group are adjacent. An exception of a reward becomes an error of
  /// every episode of that call, with the exception's text as note.
  void score(std::span<Episode> episodes, ScoreUse use = ScoreUse::training);

  std::vector<std::string> names() const;
  /// Weights follow their schedules: after `iteration` iterations.
  void set_iteration(std::int64_t iteration) { iteration_ = iteration; }
  /// What the rewards tell about their own work since the last time, as rewards/<name>/<figure>.
  std::vector<std::pair<std::string, double>> take_metrics();
  /// The running statistics, to be saved and restored: three numbers a reward.
  std::vector<double> statistics() const;
  void restore_statistics(std::span<const double> numbers);

 private:
  friend class Scoring;

  /// Welford's running mean and sum of squared differences.
  struct Moments {
    double count = 0, mean = 0, squares = 0;
    void add(double value);
    double standardized(double value) const;
  };
  struct Part {
    std::string name;
    RewardTerm term;
    std::unique_ptr<Reward> reward;
    Moments seen;
    /// As many as calls at once: two collections may be under way at a time.
    std::unique_ptr<std::counting_semaphore<>> permits;
  };
  /// Scores of one part, one an episode.
  using Verdicts = std::vector<Score>;

  /// One verdict for each part and episode becomes the episodes' scores.
  void combine(std::span<Episode> episodes, std::vector<Verdicts>& verdicts, ScoreUse use);
  /// Leaves a part out where its gate is closed.
  void close_gates(std::vector<Verdicts>& verdicts) const;
  std::size_t index_of(const std::string& name) const;
  /// What each value of the part is worth in the sum, before its weight.
  std::vector<double> worth(Part& part, const Verdicts& verdicts, ScoreUse use);
  void count_error(const std::string& part, const std::string& reason);

  std::vector<Part> parts_;
  std::int64_t iteration_ = 0;
  std::vector<std::pair<std::string, double>> errors_;  ///< by "<part>/errors/<reason>"
};

/// Scoring of one collection while it is still being generated.
///
///     Scoring scoring(rewards, episodes);     episodes keep their places from here on
///     scoring.ready(first, count);            a whole group has ended: rewards with calls_at_once() start on it
///     scoring.finish(ScoreUse::training);     the others run, all are waited for, and the sums are formed
///
/// Values do not depend on when groups become ready, how calls are cut, or which call ends first.
class Scoring {
 public:
  /// Both must outlive it.
  Scoring(RewardSum& rewards, std::span<Episode> episodes);
  /// Waits for the calls under way; those that have not begun are dropped.
  ~Scoring();
  Scoring(const Scoring&) = delete;
  Scoring& operator=(const Scoring&) = delete;

  /// The episodes [first, first + count), one group or several whole ones. Called by the thread that made this.
  void ready(std::size_t first, std::size_t count);
  /// Groups that were never told to be ready are scored now. Error{stopped}, Error{preempted} after a signal.
  void finish(ScoreUse use);

 private:
  struct Background;

  RewardSum& rewards_;
  std::span<Episode> episodes_;
  std::vector<RewardSum::Verdicts> verdicts_;
  std::vector<std::unique_ptr<Background>> background_;  ///< one a part; null where it runs on the caller's thread
  std::vector<bool> told_;
};

/// Episodes whose score is an error.
std::int64_t count_errors(std::span<const Episode> episodes);

}  // namespace hone
