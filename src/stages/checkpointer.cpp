#include "stages/checkpointer.h"

#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/stop.h"
#include "io/atomic_directory.h"
#include "io/file.h"
#include "stages/model_directory.h"

namespace hone {

Checkpointer::Checkpointer(Run& run, std::string stage, std::int64_t every, std::function<void(TrainerState&)> exchange)
    : run_(run),
      stage_(std::move(stage)),
      every_(every),
      exchange_(std::move(exchange)),
      saved_at_(std::chrono::steady_clock::now()) {}

bool Checkpointer::resume() {
  const std::optional<ResumePoint> point = run_.take_resume_point(stage_);
  if (!point) return false;
  TrainerState state(point->place, point->record.values);
  exchange_(state);
  saved_step_ = point->record.step;
  rotate_checkpoints(run_.checkpoint_directory(stage_), run_.checkpoints.keep);  // a crash may have come before it
  return true;
}

void Checkpointer::after_step(std::int64_t step) {
  failpoint("step.before");
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - saved_at_;
  const bool asked_for = every_ > 0 && step % every_ == 0;
  const bool in_time = run_.checkpoints.interval.count > 0 && passed.count() >= run_.checkpoints.interval.count;
  if (asked_for || in_time) save(step);
  failpoint("step.after");
  throw_if_stopped();
}

void Checkpointer::save_best(const std::string& metric, double value, std::int64_t step) {
  const std::filesystem::path place = run_.checkpoint_directory(stage_) / "best";
  make_directories(place.parent_path());
  AtomicDirectory files(place, AtomicDirectory::Existing::replace);
  write_model_files(*run_.model, *run_.tokenizer, files.path());
  const Json figures = Json::Object{{"step", step}, {"metric", metric}, {"value", value}};
  write_file_atomic(files.path() / "best.json", figures.dump(2) + "\n");
  files.commit();
}

void Checkpointer::protect(const std::int64_t& step, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    const bool leaves_state =
        error.kind() == ErrorKind::stopped || error.kind() == ErrorKind::preempted || error.kind() == ErrorKind::service;
    if (!leaves_state) throw;
    fail(error.kind(), "{}; saved {}: run the same command to go on from there", error.what(), save(step));
  }
}

std::string Checkpointer::save(std::int64_t step) {
  const std::filesystem::path place = run_.checkpoint_directory(stage_) / fmt::format("step_{}", step);
  if (step != saved_step_) {
    TrainerState state;
    exchange_(state);
    run_.save_checkpoint(place, {.stage = stage_, .step = step, .finished = false, .values = state.values()}, &state);
    rotate_checkpoints(place.parent_path(), run_.checkpoints.keep);
    saved_step_ = step;
  }
  saved_at_ = std::chrono::steady_clock::now();
  return place.string();
}

}  // namespace hone
