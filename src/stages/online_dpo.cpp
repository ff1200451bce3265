#include "stages/online_dpo.h"

#include <algorithm>

#include "base/format.h"
#include "base/random.h"
#include "base/stop.h"
#include "rollout/pack.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/preference_objective.h"
#include "stages/reference.h"
#include "stages/rl_metrics.h"
#include "stages/sequence_logprobs.h"

namespace hone {

namespace {

/// The best and the worst answer to each prompt, adjacent. Prompts whose judged answers are all worth the same, or are
/// all the same, teach nothing and are left out.
std::vector<Episode> pairs_of(const std::vector<Episode>& episodes, std::int64_t samples) {
  std::vector<Episode> pairs;
  const auto size = static_cast<std::ptrdiff_t>(samples);
  for (auto begin = episodes.begin(); begin != episodes.end(); begin += size) {
    const Episode *best = nullptr, *worst = nullptr;
    for (auto episode = begin; episode != begin + size; ++episode) {
      if (episode->score.status == ScoreStatus::error) continue;
      if (best == nullptr || episode->score.value > best->score.value) best = &*episode;
      if (worst == nullptr || episode->score.value < worst->score.value) worst = &*episode;
    }
    if (best == nullptr || best->score.value == worst->score.value) continue;
    if (best->token_stream() == worst->token_stream()) continue;
    pairs.push_back(*best);
    pairs.push_back(*worst);
  }
  return pairs;
}

/// A row is a prompt.
class OnlinePairs : public Objective {
 public:
  OnlinePairs(Run& run, const OnlineDpoSpec& spec)
      : run_(run), spec_(spec), prompts_(run, spec.prompts, spec.name) {
    if (has_reference(spec.options.loss)) reference_ = std::make_unique<Reference>(run);
  }

  std::uint64_t rows() const override { return prompts_.prompts(); }
  std::int64_t tokens(std::uint64_t) const override { return spec_.samples * spec_.prompts.sampling.max_tokens; }
  Batch batch(std::span<const std::uint64_t>, std::uint64_t) const override { return last_; }
  double denominator(const Batch& batch) const override { return static_cast<double>(batch.sequences()) / 2; }

  double accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) override {
    metrics_.clear();
    const std::vector<Episode> episodes = prompts_.answers(rows, spec_.samples, pass.draw);
    const std::vector<Episode> pairs = pairs_of(episodes, spec_.samples);
    MetricValues figures;
    add_episode_metrics(episodes, figures);
    metrics_.add(figures);
    metrics_.add("pairs", static_cast<double>(pairs.size()) / 2);
    if (pairs.empty()) return 0;
    last_ = pack_episodes(pairs);
    if (reference_ != nullptr) last_.ref_logprob_T = reference_->logprobs(last_, 1.0, pass.tokens_per_pass);
    return learn(pass);
  }

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor logprob_P2 = sequence_logprobs(*run_.model, part, dropout).view({-1, 2});
    const at::Tensor tokens_P2 = counted_tokens(part).view({-1, 2});
    PairLogprobs pairs{.chosen_P = logprob_P2.select(1, 0),
                       .rejected_P = logprob_P2.select(1, 1),
                       .chosen_tokens_P = tokens_P2.select(1, 0),
                       .rejected_tokens_P = tokens_P2.select(1, 1)};
    if (reference_ != nullptr) {
      const at::Tensor reference_P2 = sequence_sums(part.ref_logprob_T, part).view({-1, 2});
      pairs.ref_chosen_P = reference_P2.select(1, 0);
      pairs.ref_rejected_P = reference_P2.select(1, 1);
    }
    const PreferenceOutcome outcome = preference_loss(pairs, spec_.options);
    add_preference_metrics(pairs, outcome, spec_.options, "", metrics_);
    return outcome.loss_P.sum() / denominator;
  }

  MetricValues take_metrics() override {
    MetricValues values = metrics_.values();
    for (auto& figure : prompts_.step_done()) values.push_back(std::move(figure));
    return values;
  }

  void exchange(TrainerState& state) override {
    prompts_.exchange(state);
    if (reference_ != nullptr) reference_->exchange(state);
  }

  MetricValues evaluate() override { return prompts_.evaluate(); }
  std::vector<Headline> headlines() const override {
    std::vector<Headline> lines{{"eval/reward", "reward (greedy)"}};
    if (spec_.prompts.evaluation.sampled) lines.push_back({"eval_sampled/reward", "reward (sampled)"});
    return lines;
  }
  std::span<const Episode> episodes() const override { return prompts_.held_out(); }

 private:
  /// Cuts the batch between pairs.
  double learn(const GradientPass& pass) {
    const double pairs = denominator(last_);
    double sum = 0;
    std::uint64_t part = 0;
    for (const std::vector<std::int64_t>& sequences : cut_pairs(pass.tokens_per_pass)) {
      throw_if_stopped();
      const at::Tensor loss = this->loss(pick_sequences(last_, sequences), pairs,
                                         {pass.dropout, Random(pass.draw, part++).next64()});
      sum += loss.item<double>();
      loss.backward();
    }
    return sum;
  }

  std::vector<std::vector<std::int64_t>> cut_pairs(std::int64_t tokens_per_pass) const {
    const std::int32_t* start = last_.start_S1.const_data_ptr<std::int32_t>();
    std::vector<std::vector<std::int64_t>> cuts;
    std::int64_t filled = 0;
    for (std::int64_t s = 0; s < last_.sequences(); s += 2) {
      const std::int64_t length = start[s + 2] - start[s];
      if (cuts.empty() || filled + length > tokens_per_pass) {
        cuts.emplace_back();
        filled = 0;
      }
      cuts.back().insert(cuts.back().end(), {s, s + 1});
      filled += length;
    }
    return cuts;
  }

  Run& run_;
  const OnlineDpoSpec& spec_;
  RewardedPrompts prompts_;
  std::unique_ptr<Reference> reference_;  ///< null for losses without one
  Batch last_;                            ///< the pairs of the step
  Metrics metrics_;
};

}  // namespace

OnlineDpoSpec::OnlineDpoSpec() { training.optimizer.learning_rate = 1e-6; }

void OnlineDpoSpec::describe_stage(Fields& f) {
  prompts.describe(f);
  f.field("samples", samples, "Answers to a prompt, of which the best and the worst are compared.", at_least(2));
  f.choice("loss", options.loss, reference_loss_names, "As in dpo.");
  f.field("beta", options.beta, "How dear it is to leave the reference, the weights that the stage starts from.", above(0));
  f.field("label_smoothing", options.label_smoothing, "Share of pairs that are believed to be the wrong way round.",
          {.low = 0, .high = 0.5, .open_high = true});
  training.describe(f);
}

StageArithmetic OnlineDpoSpec::arithmetic() const {
  StageArithmetic lines = training.arithmetic();
  lines.emplace_back("answers a step", fmt::format("{} prompts × {} samples = {}", training.batch_size, samples,
                                                   format_count(training.batch_size * samples)));
  return lines;
}

StageStart OnlineDpoSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::decoder}, "reinforcement learning needs a model that continues its prompts");
  prompts.require_prompts(run);
  return [this, &run] {
    run.use_heads({});
    OnlinePairs objective(run, *this);
    return Training(run, training, prompts.interval(), name, objective).run();
  };
}

}  // namespace hone
