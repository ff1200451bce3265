#include "stages/rl_loop.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "algo/covariance.h"
#include "algo/score_summary.h"
#include "algo/token_rewards.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "nn/layers.h"
#include "rollout/json_lists.h"
#include "rollout/pack.h"
#include "stages/episode_report.h"
#include "stages/packed_forward.h"
#include "stages/policy_terms.h"
#include "stages/rl_guards.h"

namespace hone {

namespace {

constexpr std::size_t samples_shown = 4;

std::unique_ptr<Reference> make_reference(Run& run, const KlConfig& config) {
  if (config.place == KlPlace::off) return nullptr;
  return config.reference ? std::make_unique<Reference>(run, *config.reference) : std::make_unique<Reference>(run);
}

}  // namespace

RlLoop::RlLoop(Run& run, const RlConfig& config, const std::string& stage, RlMember& member,
               std::optional<double> critic_learning_rate)
    : run_(run),
      config_(config),
      stage_(stage),
      member_(member),
      source_(run, config, stage, member.needs_greedy()),
      reference_(make_reference(run, config.kl)),
      optimizer_(run.model->store, config.optimizer, config.optimizer_steps(member.frozen_iterations()),
                 critic_learning_rate),
      kl_(config.kl.controller()),
      entropy_(config.entropy_controller()),
      past_(config.past, stream_key(run.seed, "past/" + stage)),
      stopping_(config.stop_when),
      errors_(config.max_error_share, config.error_window),
      versions_{run.model->store.version()},
      checkpointer_(run, stage, config.checkpoint_every, [this](TrainerState& state) { exchange(state); }) {
  const EvaluationConfig& evaluation = config_.evaluation;
  if (evaluation.environment) own_evaluation_environment_ = evaluation.environment->make(run.services());
  if (!evaluation.rewards.empty()) {
    own_evaluation_rewards_ = std::make_unique<RewardSum>(evaluation.rewards, run.services());
  }
  evaluator_ = std::make_unique<Evaluator>(run, own_evaluation_environment_ ? *own_evaluation_environment_ : source_.environment(),
                                           own_evaluation_rewards_ ? *own_evaluation_rewards_ : source_.rewards(), evaluation,
                                           config_.max_turns, config_.max_episode_tokens);
  if (config.average_decay > 0) average_.emplace(run.model->store, config.average_decay);
  summary_.stage = stage;
}

PassPlan RlLoop::plan_passes() const {
  PassNeeds needs = pass_needs(config_, run_.model->policy->shape());
  needs.later += member_.later_bytes();
  if (stopping_.keeps_best()) needs.later += static_cast<std::int64_t>(run_.model->store.weights().nbytes());
  return hone::plan_passes(*run_.model, {config_.tokens_per_pass, config_.gradient_checkpointing, config_.memory}, needs, stage_);
}

StageSummary RlLoop::run() {
  if (!checkpointer_.resume()) passes_ = plan_passes();
  passes_.apply(*run_.model);
  member_.use_passes(passes_);
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
  adopt_final();
}

void RlLoop::adopt_final() {
  if (!stopping_.keeps_best()) {
    if (average_) average_->adopt();
    return;
  }
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
  std::vector<Episode> learned = episodes;
  std::ranges::move(past_.draw(iteration, config_.prompts), std::back_inserter(learned));
  Batch batch = make_batch(learned, episodes.size(), metrics);
  const UpdateMetrics updates = update(batch, iteration);
  add_update_metrics(updates, metrics);
  if (config_.entropy_target) metrics.emplace_back("entropy_coefficient", entropy_.weight());
  if (updates.rows > 0) entropy_.update(updates.entropy_sum / static_cast<double>(updates.rows));
  if (reference_ != nullptr) {
    metrics.emplace_back("kl_coefficient", kl_.coefficient());
    kl_.update(kl_seen_.mean, kl_seen_.episodes);
    const std::int64_t every = config_.kl.reference_every;
    if (every > 0 && iteration % every == 0) reference_->move(config_.kl.reference_mix);
  }
  past_.keep(iteration, episodes);
  member_.report(metrics);
  for (auto& figure : source_.rewards().take_metrics()) metrics.push_back(std::move(figure));
  const double seconds = watch.seconds();
  metrics.emplace_back("tokens_per_second", static_cast<double>(completion_tokens(episodes)) / seconds);
  metrics.emplace_back("seconds/rollout", rollout_seconds);
  metrics.emplace_back("seconds/update", seconds - rollout_seconds);
  summary_.tokens += completion_tokens(episodes);
  run_.report->step(iteration, metrics);
  report_trained(run_, iteration, episodes, batch);
  versions_.push_back(version);
  while (static_cast<std::int64_t>(versions_.size()) > std::max<std::int64_t>(1, config_.reach())) {
    versions_.erase(versions_.begin());
  }
}

void RlLoop::exchange(TrainerState& state) {
  if (!state.restoring()) summary_.seconds = watch_.seconds();
  state.value("iteration", iteration_);
  state.value("evaluation_due", evaluation_due_);
  state.value("stop", stop_);
  passes_.exchange(state);
  state.value("skipped_in_a_row", skipped_in_a_row_);
  state.value("constant_rewards", constant_rewards_);
  state.summary("summary", summary_);
  source_.exchange(state);
  errors_.exchange(state);
  past_.exchange(state, source_.environment());
  Json versions = list_json(versions_);
  state.value("versions", versions);
  versions_ = list_from<std::int64_t>(versions);
  state.optimizer("optimizer", optimizer_);
  double kl_coefficient = kl_.coefficient();
  state.value("kl_coefficient", kl_coefficient);
  kl_.set_coefficient(kl_coefficient);
  double entropy_coefficient = entropy_.coefficient(), entropy_seen = entropy_.seen();
  state.value("entropy_coefficient", entropy_coefficient);
  state.value("entropy_seen", entropy_seen);
  entropy_.restore(entropy_coefficient, entropy_seen);
  if (average_) {
    state.tensor("average", average_->values());
    state.value("average.updates", average_->updates());
  }
  if (reference_ != nullptr) reference_->exchange(state);
  stopping_.exchange(state);
  best_.exchange(state);
  member_.exchange(state);
}

Verdicts RlLoop::verdicts_of(const std::vector<Episode>& episodes) const {
  const auto count = static_cast<std::int64_t>(episodes.size());
  Verdicts verdicts;
  verdicts.valid_S = at::empty({count}, at::kBool);
  verdicts.truncated_S = at::empty({count}, at::kBool);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    verdicts.valid_S.data_ptr<bool>()[i] = episodes[i].score.status == ScoreStatus::ok;
    verdicts.truncated_S.data_ptr<bool>()[i] = episodes[i].finish() == FinishReason::length;
  }
  verdicts.parts = reward_parts(config_.rewards, episodes, iteration_);
  if (!member_.needs_greedy()) return verdicts;
  verdicts.greedy_S = at::empty({count}, at::kDouble);
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    verdicts.greedy_S.data_ptr<double>()[i] = source_.greedy_scores().at(static_cast<std::size_t>(episodes[i].group));
  }
  return verdicts;
}

/// Packs the episodes and lets the member assign credit.
Batch RlLoop::make_batch(const std::vector<Episode>& episodes, std::size_t fresh, MetricValues& metrics) {
  Batch batch = pack_episodes(episodes);
  Verdicts verdicts = verdicts_of(episodes);
  add_episode_metrics(std::vector(episodes.begin(), episodes.begin() + static_cast<std::ptrdiff_t>(fresh)), metrics);
  const ScoreSummary summary = summarize_scores(score_tensor(episodes), verdicts.valid_S);
  if (const std::string complaint = summary.complaint(); !complaint.empty()) log_warn("{}: {}", stage_, complaint);
  verdicts.reward_T = token_rewards_of(batch, episodes, verdicts, metrics);
  if (config_.importance.recompute) recompute(batch);
  member_.assign(batch, verdicts, metrics);
  control(batch, verdicts);
  constant_rewards_ = count_constant_rewards(summary, constant_rewards_, config_.constant_reward_patience);
  return batch;
}

/// With a critic on the same trunk its values come of the same pass.
void RlLoop::recompute(Batch& batch) const {
  const double inverse_temperature = config_.sampling.inverse_temperature();
  if (!run_.model->value) {
    batch.old_logprob_T = batch_logprobs(*run_.model, batch, inverse_temperature, config_.tokens_per_pass);
    return;
  }
  LogprobsAndValues both = batch_logprobs_and_values(*run_.model, batch, inverse_temperature, config_.tokens_per_pass);
  batch.old_logprob_T = std::move(both.logprob_T);
  batch.value_T = std::move(both.value_T);
}

void RlLoop::control(Batch& batch, const Verdicts& verdicts) const {
  if (config_.mask_truncated) {
    const at::Tensor kept_T =
        verdicts.truncated_S.logical_not().to(at::kFloat).index_select(0, sequence_of_rows(batch.start_S1));
    if (batch.critic_mask_T.defined()) batch.critic_mask_T = batch.critic_mask_T * kept_T;
    batch.mask_T = batch.mask_T * kept_T;
  }
  Random random(stream_key(run_.seed, "covariance/" + stage_), static_cast<std::uint64_t>(iteration_));
  const at::Tensor covariance_T = token_covariance(batch.old_logprob_T, batch.advantage_T, batch.mask_T);
  const at::Tensor row_K = covariance_rows(covariance_T, batch.mask_T, config_.covariance, random);
  if (config_.covariance.control == CovarianceControl::clip) batch.advantage_T = batch.advantage_T.index_fill(0, row_K, 0);
  if (config_.covariance.control == CovarianceControl::kl) {
    batch.anchor_T = at::zeros_like(batch.mask_T).index_fill_(0, row_K, config_.covariance.coefficient);
  }
}

/// Scores and penalties at the rows they land on; fills the batch's reference log-probabilities.
at::Tensor RlLoop::token_rewards_of(Batch& batch, const std::vector<Episode>& episodes, Verdicts& verdicts,
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
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    const std::vector<RowReward> rows = span_rewards(episodes[i], batch.start_S1[static_cast<std::int64_t>(i)].item<int>());
    verdicts.spans.insert(verdicts.spans.end(), rows.begin(), rows.end());
  }
  return token_rewards(batch.start_S1, batch.mask_T, score_tensor(episodes), verdicts.truncated_S, kl_T, verdicts.spans,
                       options);
}

UpdateMetrics RlLoop::update(const Batch& batch, std::int64_t iteration) {
  const std::int64_t now = run_.model->store.version();
  check_policy_lag(batch, config_.reach() > 0 ? versions_.front() : now, now);
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
  const std::vector<LossPass> passes = loss_passes(config_, passes_.tokens, minibatch, minibatch.mask_T);
  if (passes.empty()) return policy;  // every episode failed: nothing to learn from
  const bool frozen = iteration_ < member_.frozen_iterations();
  const bool stepped = frozen || step_policy(minibatch, passes, first, metrics, policy);
  const bool beside = member_.update_beside(minibatch);
  handle_skipped(minibatch, !stepped || !beside, metrics);
  return policy;
}

bool RlLoop::step_policy(const Batch& minibatch, const std::vector<LossPass>& passes, bool first, UpdateMetrics& metrics,
                         PolicyMetrics& policy) {
  for (const LossPass& pass : passes) {
    const at::Tensor loss = micro_loss(pick_sequences(minibatch, pass.sequences), pass.denominator, first, metrics, policy);
    if (!loss.defined()) continue;
    metrics.loss += loss.item<double>();
    loss.backward();
  }
  const StepReport report = optimizer_.step(1.0);
  if (average_ && !report.skipped) average_->update();
  metrics.grad_norm_sum += report.grad_norm;
  metrics.learning_rate = report.learning_rate;
  ++metrics.steps;
  return !report.skipped;
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
  if (first) {
    const at::Tensor gap_M = (tokens.logprob_M.detach() - rows.select(micro.old_logprob_T)).abs();
    metrics.largest_gap = std::max(metrics.largest_gap, gap_M.max().item<double>());
  }
  const TermWeights weights{.kl = kl_.coefficient(), .entropy = entropy_.weight()};
  at::Tensor loss = policy_terms(config_, weights, micro, rows, tokens, metrics, policy);
  if (const at::Tensor extra = member_.loss_term(hidden_MD, micro, rows); extra.defined()) loss = loss + extra;
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
  std::optional<WeightAverage::InPlace> in_place;
  if (average_) in_place.emplace(*average_);
  const Stopping::Verdict verdict = stopping_.observe(measure());
  if (iteration_ == 0) show_samples("before");
  if (verdict.is_best) {
    best_.keep(run_.model->store);
    checkpointer_.save_best(*config_.stop_when.best, *stopping_.best(), iteration_);
  }
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
