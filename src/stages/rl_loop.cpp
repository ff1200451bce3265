#include "stages/rl_loop.h"

#include <algorithm>
#include <numeric>

#include "algo/score_summary.h"
#include "algo/token_rewards.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "nn/layers.h"
#include "rollout/pack.h"
#include "stages/episode_report.h"
#include "stages/loss_passes.h"
#include "stages/packed_forward.h"
#include "stages/rl_guards.h"

namespace hone {

namespace {

constexpr double importance_cap = 2;  // of truncated importance sampling, where sampling truncates
constexpr std::size_t samples_shown = 4;

}  // namespace

RlLoop::RlLoop(Run& run, const RlConfig& config, const std::string& stage, RlMember& member,
               std::optional<double> critic_learning_rate)
    : run_(run),
      config_(config),
      stage_(stage),
      member_(member),
      source_(run, config, stage),
      optimizer_(run.model->store, config.optimizer, config.optimizer_steps(), critic_learning_rate),
      kl_(config.kl.controller()),
      stopping_(config.stop_when),
      errors_(config.max_error_share, config.error_window),
      oldest_version_(run.model->store.version()),
      checkpointer_(run, stage, config.checkpoint_every, [this](TrainerState& state) { exchange(state); }) {
  const EvaluationConfig& evaluation = config_.evaluation;
  if (evaluation.environment) own_evaluation_environment_ = evaluation.environment->make(run.services());
  if (!evaluation.rewards.empty()) {
    own_evaluation_rewards_ = std::make_unique<RewardSum>(evaluation.rewards, run.services());
  }
  evaluator_ = std::make_unique<Evaluator>(run, own_evaluation_environment_ ? *own_evaluation_environment_ : source_.environment(),
                                           own_evaluation_rewards_ ? *own_evaluation_rewards_ : source_.rewards(), evaluation,
                                           config_.max_turns, config_.max_episode_tokens);
  if (config_.kl.place != KlPlace::off) reference_ = std::make_unique<Reference>(run);
  summary_.stage = stage;
}

StageSummary RlLoop::run() {
  checkpointer_.resume();
  source_.open_record(iteration_);
  run_.report->stage_started(stage_, config_.iterations, iteration_, summary_.seconds);
  watch_.restart(summary_.seconds);
  checkpointer_.protect(iteration_, [this] { learn(); });
  if (!stop_.empty()) log_info("{}: stopped early: {}", stage_, stop_);
  show_samples("after");
  summary_.seconds = watch_.seconds();
  return summary_;
}

void RlLoop::learn() {
  if (evaluation_due_) evaluate();
  while (iteration_ < config_.iterations && stop_.empty()) {
    iterate(iteration_ + 1);
    ++iteration_;
    source_.iteration_done();
    const bool last = iteration_ == config_.iterations;
    evaluation_due_ = last || (config_.evaluation.every > 0 && iteration_ % config_.evaluation.every == 0);
    if (evaluation_due_) evaluate();
    checkpointer_.after_step(iteration_);
  }
  if (!stopping_.keeps_best()) return;
  best_.restore(run_.model->store);
  measure();
}

void RlLoop::iterate(std::int64_t iteration) {
  const Stopwatch watch;
  MetricValues metrics;
  const std::int64_t version = run_.model->store.version();
  const std::vector<Episode> episodes = source_.next(iteration, iteration == config_.iterations, metrics);
  errors_.observe(episodes);
  const double rollout_seconds = watch.seconds();
  const Batch batch = make_batch(episodes, metrics);
  add_update_metrics(update(batch, iteration), metrics);
  if (reference_ != nullptr) {
    metrics.emplace_back("kl_coefficient", kl_.coefficient());
    kl_.update(kl_seen_.mean, kl_seen_.episodes);
  }
  member_.report(metrics);
  for (auto& figure : source_.rewards().take_metrics()) metrics.push_back(std::move(figure));
  const double seconds = watch.seconds();
  metrics.emplace_back("tokens_per_second", static_cast<double>(completion_tokens(episodes)) / seconds);
  metrics.emplace_back("seconds/rollout", rollout_seconds);
  metrics.emplace_back("seconds/update", seconds - rollout_seconds);
  summary_.tokens += completion_tokens(episodes);
  run_.report->step(iteration, metrics);
  report_trained(run_, iteration, episodes, batch);
  oldest_version_ = version;
}

void RlLoop::exchange(TrainerState& state) {
  if (!state.restoring()) summary_.seconds = watch_.seconds();
  state.value("iteration", iteration_);
  state.value("evaluation_due", evaluation_due_);
  state.value("stop", stop_);
  state.value("skipped_in_a_row", skipped_in_a_row_);
  state.value("constant_rewards", constant_rewards_);
  state.summary("summary", summary_);
  source_.exchange(state);
  errors_.exchange(state);
  state.value("oldest_version", oldest_version_);
  state.optimizer("optimizer", optimizer_);
  double kl_coefficient = kl_.coefficient();
  state.value("kl_coefficient", kl_coefficient);
  kl_.set_coefficient(kl_coefficient);
  if (reference_ != nullptr) reference_->exchange(state);
  stopping_.exchange(state);
  best_.exchange(state);
  member_.exchange(state);
}

/// Packs the episodes and lets the member assign credit.
Batch RlLoop::make_batch(const std::vector<Episode>& episodes, MetricValues& metrics) {
  Batch batch = pack_episodes(episodes);
  Verdicts verdicts;
  verdicts.valid_S = at::empty({batch.sequences()}, at::kBool);
  verdicts.truncated_S = at::empty({batch.sequences()}, at::kBool);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    verdicts.valid_S.data_ptr<bool>()[i] = episodes[i].score.status == ScoreStatus::ok;
    verdicts.truncated_S.data_ptr<bool>()[i] = episodes[i].finish() == FinishReason::length;
  }
  add_episode_metrics(episodes, metrics);
  const ScoreSummary summary = summarize_scores(score_tensor(episodes), verdicts.valid_S);
  if (const std::string complaint = summary.complaint(); !complaint.empty()) log_warn("{}: {}", stage_, complaint);
  verdicts.reward_T = token_rewards_of(batch, episodes, verdicts.truncated_S, metrics);
  member_.assign(batch, verdicts, metrics);
  constant_rewards_ = count_constant_rewards(summary, constant_rewards_, config_.constant_reward_patience);
  return batch;
}

/// Scores and penalties at the rows they land on; fills the batch's reference log-probabilities.
at::Tensor RlLoop::token_rewards_of(Batch& batch, const std::vector<Episode>& episodes, const at::Tensor& truncated_S,
                                    MetricValues& metrics) {
  at::Tensor kl_T;
  TokenRewardOptions options{.missing_eos_penalty = config_.missing_eos_penalty,
                             .score_position = config_.compat.score_position};
  if (reference_ != nullptr) {
    batch.ref_logprob_T =
        reference_->logprobs(batch, config_.sampling.inverse_temperature(), config_.tokens_per_pass);
    kl_T = kl_estimate(batch.old_logprob_T, batch.ref_logprob_T, KlEstimator::k1) * batch.mask_T;
    const std::int64_t counted = batch.sequences() - count_errors(episodes);
    const double kl = counted == 0 ? 0.0 : kl_T.sum().item<double>() / static_cast<double>(counted);
    metrics.emplace_back("kl", kl);
    if (config_.kl.place == KlPlace::reward) options.kl_coefficient = kl_.coefficient();
    kl_seen_ = {kl, counted};
  }
  std::vector<RowReward> spans;
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    const std::vector<RowReward> rows = span_rewards(episodes[i], batch.start_S1[static_cast<std::int64_t>(i)].item<int>());
    spans.insert(spans.end(), rows.begin(), rows.end());
  }
  return token_rewards(batch.start_S1, batch.mask_T, score_tensor(episodes), truncated_S, kl_T, spans, options);
}

UpdateMetrics RlLoop::update(const Batch& batch, std::int64_t iteration) {
  const std::int64_t now = run_.model->store.version();
  check_policy_lag(batch, config_.rollout.max_lag > 0 ? oldest_version_ : now, now);
  UpdateMetrics metrics;
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch.sequences()));
  for (std::int64_t epoch = 0; epoch < config_.epochs; ++epoch) {
    std::iota(order.begin(), order.end(), 0);
    Random(stream_key(run_.seed, "minibatches/" + stage_), static_cast<std::uint64_t>(iteration),
           static_cast<std::uint32_t>(epoch))
        .shuffle(order);
    PolicyMetrics epoch_metrics;
    for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(config_.minibatch)) {
      const std::size_t count = std::min(order.size() - begin, static_cast<std::size_t>(config_.minibatch));
      const Batch minibatch = pick_sequences(batch, std::span(order).subspan(begin, count));
      const bool first = epoch == 0 && begin == 0;
      epoch_metrics.add(learn_from(minibatch, first, metrics));
    }
    ++metrics.epochs;
    metrics.policy.add(epoch_metrics);
    if (config_.target_kl > 0 && epoch_metrics.approx_kl() > config_.target_kl) break;
  }
  return metrics;
}

PolicyMetrics RlLoop::learn_from(const Batch& minibatch, bool first, UpdateMetrics& metrics) {
  PolicyMetrics policy;
  const std::vector<LossPass> passes = loss_passes(config_, minibatch, minibatch.mask_T);
  if (passes.empty()) return policy;  // every episode failed: nothing to learn from
  for (const LossPass& pass : passes) {
    const at::Tensor loss = micro_loss(pick_sequences(minibatch, pass.sequences), pass.denominator, first, metrics, policy);
    if (!loss.defined()) continue;
    metrics.loss += loss.item<double>();
    loss.backward();
  }
  const StepReport report = optimizer_.step(1.0);
  metrics.grad_norm_sum += report.grad_norm;
  metrics.learning_rate = report.learning_rate;
  ++metrics.steps;
  const bool beside = member_.update_beside(minibatch);
  handle_skipped(minibatch, report.skipped || !beside, metrics);
  return policy;
}

/// The loss of one forward pass; undefined when it counts no row.
at::Tensor RlLoop::micro_loss(const Batch& micro, double denominator, bool first, UpdateMetrics& metrics,
                              PolicyMetrics& policy) {
  const LossRows rows = loss_rows(config_.aggregation, micro, denominator);
  if (rows.size() == 0) return {};
  const at::Tensor hidden_MD = take_rows(batch_hidden(*run_.model, micro), rows.index_M);
  const kernels::TokenStatistics tokens =
      run_.model->policy->lm_head().token_statistics(hidden_MD, rows.select(micro.target_T),
                                                     config_.sampling.inverse_temperature(), true);
  const at::Tensor old_logprob_M = rows.select(micro.old_logprob_T);
  if (first) {
    const double gap = (tokens.logprob_M.detach() - old_logprob_M).abs().max().item<double>();
    metrics.largest_gap = std::max(metrics.largest_gap, gap);
  }
  at::Tensor importance_M;
  if (config_.truncated_sampling == TruncatedSampling::correct) {
    importance_M = importance_weights(old_logprob_M, rows.select(micro.rollout_logprob_T), rows, RatioLevel::token,
                                      importance_cap);
  }
  const PolicyLoss clipped =
      policy_loss(tokens.logprob_M, old_logprob_M, rows.select(micro.advantage_T), importance_M, rows,
                  {.clip_low = config_.clip_low, .clip_high = config_.clip_high, .dual_clip = config_.dual_clip});
  policy.add(clipped.metrics);
  at::Tensor loss = clipped.loss;
  if (config_.entropy_coefficient > 0) {
    loss = loss - config_.entropy_coefficient * rows.weighted_sum(tokens.entropy_M);
  }
  if (config_.kl.place == KlPlace::loss) {
    const at::Tensor penalty =
        kl_loss(tokens.logprob_M, rows.select(micro.ref_logprob_T), config_.kl.estimator, rows);
    metrics.kl_loss += penalty.item<double>();
    loss = loss + kl_.coefficient() * penalty;
  }
  if (const at::Tensor extra = member_.loss_term(hidden_MD, micro, rows); extra.defined()) loss = loss + extra;
  metrics.entropy_sum += tokens.entropy_M.sum().item<double>();
  metrics.rows += rows.size();
  return loss;
}

void RlLoop::handle_skipped(const Batch& minibatch, bool skipped, UpdateMetrics& metrics) {
  skipped_in_a_row_ = skipped ? skipped_in_a_row_ + 1 : 0;
  if (!skipped) return;
  ++metrics.skipped;
  log_warn("{}: the gradient is not finite; this update is skipped ({} in a row)", stage_, skipped_in_a_row_);
  if (skipped_in_a_row_ <= config_.max_skipped_updates) return;
  const std::filesystem::path dump = dump_batch(run_.directory, stage_, minibatch);
  const std::filesystem::path weights = run_.save_failed(stage_);
  fail(ErrorKind::data,
       "{}: {} updates in a row had a gradient that is not finite; the weights from before them are in {}, the last batch is in "
       "{}; lower the learning rate or look at the rewards",
       stage_, skipped_in_a_row_, weights.string(), dump.string());
}

void RlLoop::show_samples(const std::string& when) {
  const std::vector<Episode>& episodes = evaluator_->episodes();
  run_.report->samples(stage_ + ": samples " + when,
                       std::span(episodes).first(std::min<std::size_t>(episodes.size(), samples_shown)));
}

void RlLoop::evaluate() {
  const Stopping::Verdict verdict = stopping_.observe(measure());
  if (iteration_ == 0) show_samples("before");
  if (verdict.is_best) best_.keep(run_.model->store);
  stop_ = verdict.stop;
  evaluation_due_ = false;
}

MetricValues RlLoop::measure() {
  MetricValues metrics = evaluator_->evaluate();
  run_.report->evaluated(iteration_, metrics);
  report_held_out(run_, iteration_, evaluator_->episodes());
  for (const auto& [name, value] : headline_metrics(metrics)) {
    auto row = std::find_if(summary_.held_out.begin(), summary_.held_out.end(),
                            [&name = name](const HeldOut& held_out) { return held_out.metric == name; });
    if (row == summary_.held_out.end()) row = summary_.held_out.insert(row, {.metric = name});
    (iteration_ == 0 ? row->before : row->after) = value;
  }
  return metrics;
}

}  // namespace hone
