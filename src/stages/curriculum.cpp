#include "stages/curriculum.h"

#include <numeric>

#include "base/log.h"

namespace hone {

void CurriculumConfig::describe(Fields& f) {
  f.components("levels", levels, "Easier environments, visited in this order before the stage's own.");
  f.field("success_at", success_at, "An episode succeeds when its score is at least this.");
  f.field("advance_at", advance_at, "Share of successes that ends a level.", between(0, 1));
  f.field("window", window, "Iterations over which the share is taken.", at_least(1));
}

Curriculum::Curriculum(const CurriculumConfig& config, const EnvironmentSpec& environment, const Services& services,
                       const std::string& stage)
    : success_at_(config.success_at), advance_at_(config.advance_at), window_(config.window) {
  const auto add = [&](const EnvironmentSpec& spec, const std::string& purpose) {
    std::unique_ptr<Environment> made = spec.make(services);
    RowOrder prompts(services.seed, purpose, made->size(Split::train));
    levels_.push_back({std::move(made), std::move(prompts)});
  };
  for (const auto& level : config.levels) add(*level, "prompts/" + stage + "/" + level->name);
  add(environment, "prompts/" + stage);
  cursors_.resize(levels_.size());
}

std::vector<std::uint64_t> Curriculum::next_prompts(std::int64_t count) {
  return levels_[position_.level].prompts.next(static_cast<std::uint64_t>(count));
}

void Curriculum::observe(std::size_t level, std::span<const Episode> episodes, MetricValues& metrics) {
  if (levels_.size() == 1) return;
  metrics.emplace_back("curriculum/level", static_cast<double>(level));
  double judged = 0, succeeded = 0;
  for (const Episode& episode : episodes) {
    if (episode.score.status != ScoreStatus::ok) continue;
    ++judged;
    succeeded += episode.score.value >= success_at_ ? 1 : 0;
  }
  if (judged == 0) return;
  metrics.emplace_back("curriculum/success", succeeded / judged);
  // With a policy lag, episodes of a level that has been left may still come.
  if (level != position_.level || level + 1 == levels_.size()) return;
  std::vector<double>& last = position_.successes;
  last.push_back(succeeded / judged);
  if (static_cast<std::int64_t>(last.size()) > window_) last.erase(last.begin());
  const double share = std::accumulate(last.begin(), last.end(), 0.0) / static_cast<double>(last.size());
  if (static_cast<std::int64_t>(last.size()) < window_ || share < advance_at_) return;
  position_ = {.level = level + 1};
  log_info("curriculum: level {} of {} begins, after {:.0f} % successes on the one before", position_.level + 1,
           levels_.size(), 100 * share);
}

void Curriculum::iteration_done() {
  complete_ = position_;
  for (std::size_t i = 0; i < levels_.size(); ++i) cursors_[i] = levels_[i].prompts.cursor();
}

void Curriculum::exchange(TrainerState& state) {
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (!state.restoring()) levels_[i].prompts.seek(cursors_[i]);
    state.order(i + 1 == levels_.size() ? "prompts" : "prompts/" + std::to_string(i), levels_[i].prompts);
    if (state.restoring()) cursors_[i] = levels_[i].prompts.cursor();
  }
  auto level = static_cast<std::int64_t>(complete_.level);
  state.value("curriculum/level", level);
  Json successes(Json::Array(complete_.successes.begin(), complete_.successes.end()));
  state.value("curriculum/successes", successes);
  if (!state.restoring()) return;
  complete_.level = static_cast<std::size_t>(level);
  complete_.successes.clear();
  for (const Json& share : successes.as_array()) complete_.successes.push_back(share.as_number());
  position_ = complete_;
}

}  // namespace hone
