#include "stages/best_of_n.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "io/file.h"
#include "rollout/pack.h"
#include "rollout/saved_episodes.h"
#include "stages/language_model.h"
#include "stages/model_kind.h"

namespace hone {

namespace {

constexpr std::uint64_t default_prompts = 20000;

/// The best different answers of one prompt's that are good enough; the earlier of equal ones.
std::vector<Episode> better_of(std::span<const Episode> answers, const BestOfNSpec& spec) {
  std::vector<const Episode*> ranked;
  for (const Episode& answer : answers) {
    const bool judged = answer.score.status != ScoreStatus::error;
    if (judged && (!spec.least_reward || answer.score.value >= *spec.least_reward)) ranked.push_back(&answer);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Episode* a, const Episode* b) { return a->score.value > b->score.value; });
  std::vector<Episode> kept;
  std::set<std::vector<std::int32_t>> seen;
  for (const Episode* answer : ranked) {
    if (spec.keep && static_cast<std::int64_t>(kept.size()) == *spec.keep) break;
    if (seen.insert(answer->token_stream()).second) kept.push_back(*answer);
  }
  return kept;
}

double mean_reward(std::span<const Episode> episodes) {
  double sum = 0, count = 0;
  for (const Episode& episode : episodes) {
    if (episode.score.status == ScoreStatus::error) continue;
    sum += episode.score.value;
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

std::vector<Episode> draw(RewardedPrompts& prompts, const BestOfNSpec& spec) {
  const std::uint64_t wanted = spec.train_prompts ? static_cast<std::uint64_t>(*spec.train_prompts) : default_prompts;
  std::vector<std::uint64_t> indices(std::min(prompts.prompts(), wanted));
  std::iota(indices.begin(), indices.end(), 0);
  const std::vector<Episode> answers = prompts.answers(indices, spec.samples, 0);
  std::vector<Episode> kept;
  const auto size = static_cast<std::size_t>(spec.samples);
  for (std::size_t begin = 0; begin < answers.size(); begin += size) {
    for (Episode& answer : better_of(std::span(answers).subspan(begin, size), spec)) kept.push_back(std::move(answer));
  }
  if (kept.empty()) {
    fail(ErrorKind::data,
         "{}: none of {} answers to {} prompts is kept (mean reward {:.4g}): lower `least_reward`, draw more samples or "
         "start from better weights",
         spec.name, format_count(static_cast<std::int64_t>(answers.size())),
         format_count(static_cast<std::int64_t>(indices.size())), mean_reward(answers));
  }
  log_info("{}: {} of {} answers to {} prompts are kept; mean reward {:.4g}, of those kept {:.4g}", spec.name,
           format_count(static_cast<std::int64_t>(kept.size())), format_count(static_cast<std::int64_t>(answers.size())),
           format_count(static_cast<std::int64_t>(indices.size())), mean_reward(answers), mean_reward(kept));
  return kept;
}

/// Draws the answers, or takes those of the process that began the stage.
std::vector<Episode> kept_answers(Run& run, RewardedPrompts& prompts, const BestOfNSpec& spec) {
  const std::filesystem::path file = run.directory / (spec.name + "_kept.json");
  if (run.resume_point && run.resume_point->record.stage == spec.name && std::filesystem::exists(file)) {
    return restore_episodes(Json::parse(read_file(file), file.string()), prompts.environment());
  }
  std::vector<Episode> kept = draw(prompts, spec);
  write_file_atomic(file, save_episodes(kept).dump());
  return kept;
}

/// Next-token prediction on what was kept; a row is an answer.
class KeptAnswers : public LanguageModelObjective {
 public:
  KeptAnswers(Run& run, RewardedPrompts& prompts, std::vector<Episode> kept, std::int64_t tokens_per_pass, bool sampled)
      : LanguageModelObjective(run, {}, tokens_per_pass),
        prompts_(prompts),
        kept_(std::move(kept)),
        sampled_(sampled) {}

  std::uint64_t rows() const override { return kept_.size(); }
  std::int64_t tokens(std::uint64_t row) const override {
    return static_cast<std::int64_t>(kept_[row].token_stream().size());
  }
  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t) const override {
    std::vector<Episode> picked;
    for (const std::uint64_t row : rows) picked.push_back(kept_[row]);
    return pack_episodes(picked);
  }

  MetricValues evaluate() override { return prompts_.evaluate(); }
  std::vector<Headline> headlines() const override {
    std::vector<Headline> lines{{"eval/reward", "reward (greedy)"}};
    if (sampled_) lines.push_back({"eval_sampled/reward", "reward (sampled)"});
    return lines;
  }
  std::span<const Episode> episodes() const override { return prompts_.held_out(); }

 private:
  RewardedPrompts& prompts_;
  std::vector<Episode> kept_;
  bool sampled_;
};

}  // namespace

void BestOfNSpec::describe_stage(Fields& f) {
  prompts.describe(f);
  f.field("prompts", train_prompts, "Prompts to answer, from the first; by default all, at most 20,000.", at_least(1));
  f.field("samples", samples, "Answers drawn to each prompt.", at_least(1));
  f.field("keep", keep, "The best different answers to each prompt that are learned; null: all that are good enough.",
          at_least(1));
  f.field("least_reward", least_reward, "Answers with less are not learned.");
  training.describe(f);
}

StageArithmetic BestOfNSpec::arithmetic() const {
  StageArithmetic lines = training.arithmetic();
  const std::string count = train_prompts ? format_count(*train_prompts) : "all";
  lines.emplace_back("answers drawn", fmt::format("{} prompts × {} samples × ≤ {} tokens", count, samples,
                                                  format_count(prompts.sampling.max_tokens)));
  return lines;
}

StageStart BestOfNSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "answers are drawn from a model that continues its prompts");
  prompts.require_prompts(run);
  return [this, &run] {
    run.use_heads({});
    RewardedPrompts rewarded(run, prompts, name);
    KeptAnswers objective(run, rewarded, kept_answers(run, rewarded, *this), training.tokens_per_pass,
                          prompts.evaluation.sampled);
    return Training(run, training, prompts.interval(), name, objective).run();
  };
}

}  // namespace hone
