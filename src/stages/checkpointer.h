#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "stages/run.h"
#include "stages/trainer_state.h"

namespace hone {

/// Saves a stage in progress and takes it up again. A loop gives it the list of what decides its future, calls
/// after_step() when a step with its evaluation is complete, and does all of its work within protect().
class Checkpointer {
 public:
  /// `every`: steps between checkpoints beside those that `checkpoints.interval` asks for; 0: none. Borrows the run.
  /// `exchange` must describe the state after the last complete step, also while another one is under way.
  Checkpointer(Run& run, std::string stage, std::int64_t every, std::function<void(TrainerState&)> exchange);

  /// Restores the state when the run resumes within this stage. Returns whether it did.
  bool resume();

  /// `step` is complete: saves when it is time to.
  void after_step(std::int64_t step);

  /// The model of now is the best one yet, by this metric after `step`: it replaces `best` among the stage's checkpoints,
  /// a model directory for people and later runs, with these figures in best.json. Resuming does not read it.
  void save_best(const std::string& metric, double value, std::int64_t step);

  /// Runs `body`. When it is stopped by a signal, or because rewards failed too often (Error{stopped}, {preempted},
  /// {service}), saves the state after `step` (read then) and throws the error on with the place added.
  void protect(const std::int64_t& step, const std::function<void()>& body);

 private:
  std::string save(std::int64_t step);

  Run& run_;
  std::string stage_;
  std::int64_t every_;
  std::function<void(TrainerState&)> exchange_;
  std::int64_t saved_step_ = -1;
  std::chrono::steady_clock::time_point saved_at_;
};

}  // namespace hone
