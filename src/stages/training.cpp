#include "stages/training.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"
#include "base/stop.h"
#include "stages/episode_report.h"
#include "stages/rl_metrics.h"

namespace hone {

namespace {

constexpr std::size_t samples_shown = 4;

/// Runs of neighbouring rows of at most `tokens` tokens, or one longer row.
std::vector<std::span<const std::uint64_t>> cut_rows(const Objective& objective, std::span<const std::uint64_t> rows,
                                                     std::int64_t tokens) {
  std::vector<std::span<const std::uint64_t>> cuts;
  std::size_t begin = 0;
  std::int64_t filled = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t length = objective.tokens(rows[i]);
    if (i > begin && filled + length > tokens) {
      cuts.push_back(rows.subspan(begin, i - begin));
      begin = i;
      filled = 0;
    }
    filled += length;
  }
  cuts.push_back(rows.subspan(begin));
  return cuts;
}

/// The next rows of the order, each with its epoch.
std::vector<VisitedRow> visits(RowOrder& order, std::uint64_t count) {
  RowOrder::Cursor place = order.cursor();
  std::vector<VisitedRow> visited;
  for (const std::uint64_t row : order.next(count)) {
    if (place.position == order.count()) place = {place.epoch + 1, 0};
    visited.push_back({row, place.epoch});
    ++place.position;
  }
  return visited;
}

}  // namespace

void TrainingConfig::describe(Fields& f) {
  f.field("steps", steps, "Optimizer steps.", at_least(1));
  f.field("epochs", epochs, "Passes over the rows, in place of steps; 1 when neither is set.", above(0));
  f.field("batch_size", batch_size, "Rows an optimizer step.", at_least(1));
  describe_passes(f, tokens_per_pass, gradient_checkpointing, memory);
  f.section("optimizer", optimizer, "How weights follow from gradients.");
  f.field("average_decay", average_decay,
          "Keep an exponential mean of the weights with this decay (0.999); it is what is evaluated and what the stage ends "
          "with. 0: none.",
          {.low = 0, .high = 1, .open_high = true});
  f.field("dropout", dropout, "Share of activations dropped while training.", {.low = 0, .high = 1, .open_high = true});
  f.field("max_skipped_updates", max_skipped_updates,
          "Updates in a row that a loss or gradient which is not finite may cost before the run stops.", at_least(0));
  f.section("stop_when", stop_when, "Ends the stage early.");
  f.field("log_every", log_every, "Steps that a row of metrics tells of: loss and gradient norm are means over them.",
          at_least(1));
  f.field("checkpoint_every", checkpoint_every, "Steps between checkpoints; 0: only the last.", at_least(0));
  f.check(!steps || !epochs, "epochs", "goes without steps: one of them says how long the stage is");
}

std::int64_t TrainingConfig::total_steps(std::uint64_t rows) const {
  if (steps) return *steps;
  const double batch = std::min(static_cast<double>(batch_size), static_cast<double>(rows));
  return std::max<std::int64_t>(1, std::llround(std::ceil(epochs.value_or(1) * static_cast<double>(rows) / batch)));
}

StageArithmetic TrainingConfig::arithmetic() const {
  StageArithmetic lines{{"rows a step", format_count(batch_size)}};
  if (steps) {
    lines.emplace_back("optimizer steps", format_count(*steps));
    lines.emplace_back("rows", fmt::format("{} × {} = {}", format_count(*steps), format_count(batch_size),
                                           format_count(*steps * batch_size)));
  } else {
    lines.emplace_back("optimizer steps",
                       fmt::format("{:g} × rows / {}", epochs.value_or(1), format_count(batch_size)));
  }
  lines.emplace_back("tokens a forward pass", "≤ " + format_count(std::int64_t{tokens_per_pass}));
  return lines;
}

void EvaluationInterval::describe(Fields& f) {
  f.field("every", steps, "Evaluate after each so many steps; 0: only before the first and after the last.",
          at_least(0));
  f.field("every_epochs", epochs, "Evaluate after each so many passes over the rows; 0: never.", at_least(0));
}

bool EvaluationInterval::due(std::int64_t step, double epochs_before, double epochs_after) const {
  if (steps > 0 && step % steps == 0) return true;
  return epochs > 0 && std::floor(epochs_after / epochs) > std::floor(epochs_before / epochs);
}

void HeldOutConfig::describe(Fields& f) {
  interval.describe(f);
  f.field("rows", rows, "Held-out rows, from the first; fewer when there are fewer.", at_least(1));
}

double Objective::accumulate(std::span<const std::uint64_t> rows, const GradientPass& pass) {
  const double denominator = this->denominator(batch(rows, pass.draw));
  double sum = 0;
  std::uint64_t part = 0;
  for (const std::span<const std::uint64_t> cut : cut_rows(*this, rows, pass.tokens_per_pass)) {
    throw_if_stopped();  // nothing but gradients has changed
    const DropoutDraw dropout{pass.dropout, Random(pass.draw, part++).next64()};
    const at::Tensor loss = this->loss(batch(cut, pass.draw), denominator, dropout);
    sum += loss.item<double>();
    loss.backward();
  }
  return sum;
}

Training::Training(Run& run, const TrainingConfig& config, const EvaluationInterval& interval, const std::string& stage,
                   Objective& objective)
    : run_(run),
      config_(config),
      interval_(interval),
      stage_(stage),
      objective_(objective),
      total_steps_(config.total_steps(objective.rows())),
      batch_rows_(std::min(static_cast<std::uint64_t>(config.batch_size), objective.rows())),
      optimizer_(run.model->store, config.optimizer, total_steps_),
      order_(run.seed, "rows/" + stage, objective.rows()),
      stopping_(config.stop_when),
      checkpointer_(run, stage, config.checkpoint_every, [this](TrainerState& state) { exchange(state); }) {
  if (batch_rows_ < static_cast<std::uint64_t>(config.batch_size)) {
    log_warn("{}: batch_size is {} and there are {} rows: every step uses them all", stage, config.batch_size,
             batch_rows_);
  }
  if (config.average_decay > 0) average_.emplace(run.model->store, config.average_decay);
  summary_.stage = stage;
}

/// What a whole step may have, and the best weights will take.
PassPlan Training::plan_passes() const {
  PassNeeds needs;
  for (std::uint64_t row = 0; row < objective_.rows(); ++row) needs.longest = std::max(needs.longest, objective_.tokens(row));
  needs.step_tokens = needs.longest * static_cast<std::int64_t>(batch_rows_);
  if (stopping_.keeps_best()) needs.later += static_cast<std::int64_t>(run_.model->store.weights().nbytes());
  return hone::plan_passes(*run_.model,
                           {config_.tokens_per_pass, config_.gradient_checkpointing, config_.memory, config_.dropout}, needs,
                           stage_);
}

StageSummary Training::run() {
  if (!checkpointer_.resume()) passes_ = plan_passes();
  passes_.apply(*run_.model);
  run_.report->stage_started(stage_, total_steps_, step_, summary_.seconds);
  watch_.restart(summary_.seconds);
  checkpointer_.protect(step_, [this] { learn(); });
  if (!stop_.empty()) log_info("{}: stopped early: {}", stage_, stop_);
  if (step_ == 0) {
    for (HeldOut& row : summary_.held_out) row.after = row.before;  // nothing was left to learn
  }
  show_samples("after");
  summary_.seconds = watch_.seconds();
  return summary_;
}

void Training::learn() {
  if (evaluation_due_) evaluate();
  while (step_ < total_steps_ && stop_.empty()) {
    const double epochs_before = order_.epochs();
    take_step(step_ + 1);
    ++step_;
    if (step_ % config_.log_every == 0 || step_ == total_steps_) run_.report->step(step_, means_.take());
    cursor_ = order_.cursor();
    evaluation_due_ = step_ == total_steps_ || interval_.due(step_, epochs_before, order_.epochs());
    if (evaluation_due_) evaluate();
    checkpointer_.after_step(step_);
  }
  adopt_final();
}

void Training::exchange(TrainerState& state) {
  if (!state.restoring()) {
    order_.seek(cursor_);
    summary_.seconds = watch_.seconds();
  }
  state.value("step", step_);
  state.value("evaluation_due", evaluation_due_);
  state.value("stop", stop_);
  state.value("skipped", skipped_);
  state.value("skipped_in_a_row", skipped_in_a_row_);
  state.value("best_is_current", best_is_current_);
  passes_.exchange(state);
  state.summary("summary", summary_);
  state.order("rows", order_);
  state.optimizer("optimizer", optimizer_);
  if (average_) {
    state.tensor("average", average_->values());
    state.value("average.updates", average_->updates());
  }
  means_.exchange(state);
  stopping_.exchange(state);
  best_.exchange(state);
  objective_.exchange(state);
  if (state.restoring()) cursor_ = order_.cursor();
}

std::uint64_t Training::step_key(std::int64_t step) const {
  return Random(stream_key(run_.seed, "dropout/" + stage_), static_cast<std::uint64_t>(step)).next64();
}

StepReport Training::update(double loss) {
  if (!std::isfinite(loss)) {
    run_.model->store.zero_grads();
    return {.grad_norm = loss, .learning_rate = optimizer_.learning_rate(), .skipped = true};
  }
  const StepReport report = optimizer_.step();
  if (average_ && !report.skipped) average_->update();
  return report;
}

void Training::take_step(std::int64_t step) {
  const Stopwatch watch;
  const std::vector<VisitedRow> visited = visits(order_, batch_rows_);
  objective_.visit(visited);
  std::vector<std::uint64_t> rows;
  for (const VisitedRow& visit : visited) rows.push_back(visit.row);
  const double loss =
      objective_.accumulate(rows, {passes_.tokens, config_.dropout, step_key(step)});
  const StepReport report = update(loss);
  count_skipped(report.skipped, rows, step);
  best_is_current_ = false;
  std::int64_t tokens = 0;
  for (const std::uint64_t row : rows) tokens += objective_.tokens(row);
  summary_.tokens += tokens;
  means_.mean("loss", loss);
  means_.mean("grad_norm", report.grad_norm);
  means_.last("learning_rate", report.learning_rate);
  means_.rate("tokens_per_second", static_cast<double>(tokens), watch.seconds());
  means_.last("epoch", order_.epochs());
  for (const auto& [name, value] : objective_.take_metrics()) means_.mean(name, value);
  if (skipped_ > 0) means_.last("skipped_updates", static_cast<double>(skipped_));
}

void Training::count_skipped(bool skipped, std::span<const std::uint64_t> rows, std::int64_t step) {
  skipped_in_a_row_ = skipped ? skipped_in_a_row_ + 1 : 0;
  if (!skipped) return;
  ++skipped_;
  log_warn("{}: the loss or its gradient is not finite; this update is skipped ({} in a row)", stage_,
           skipped_in_a_row_);
  if (skipped_in_a_row_ <= config_.max_skipped_updates) return;
  const std::filesystem::path dump = dump_batch(run_.directory, stage_, objective_.batch(rows, step_key(step)));
  const std::filesystem::path weights = run_.save_failed(stage_);
  fail(ErrorKind::data,
       "{}: {} updates in a row had a loss or gradient that is not finite; the weights from before them are in {}, the last "
       "batch is in {}; lower the learning rate or look at the rows",
       stage_, skipped_in_a_row_, weights.string(), dump.string());
}

MetricValues Training::measure() {
  MetricValues metrics = objective_.evaluate();
  if (metrics.empty()) return metrics;
  run_.report->evaluated(step_, metrics);
  report_held_out(run_, step_, objective_.episodes());
  for (const Objective::Headline& headline : objective_.headlines()) {
    const auto value = std::find_if(metrics.begin(), metrics.end(),
                                    [&](const auto& metric) { return metric.first == headline.metric; });
    if (value == metrics.end()) continue;
    auto row = std::find_if(summary_.held_out.begin(), summary_.held_out.end(),
                            [&](const HeldOut& held_out) { return held_out.metric == headline.title; });
    if (row == summary_.held_out.end()) row = summary_.held_out.insert(row, HeldOut{.metric = headline.title});
    (step_ == 0 ? row->before : row->after) = value->second;
  }
  return metrics;
}

void Training::evaluate() {
  std::optional<WeightAverage::InPlace> in_place;
  if (average_) in_place.emplace(*average_);
  const MetricValues metrics = measure();
  if (step_ == 0) show_samples("before");
  choose(stopping_.observe(metrics));
  evaluation_due_ = false;
}

void Training::choose(const Stopping::Verdict& verdict) {
  if (verdict.is_best) {
    best_.keep(run_.model->store);
    checkpointer_.save_best(*config_.stop_when.best, *stopping_.best(), step_);
  }
  best_is_current_ = verdict.is_best;
  stop_ = verdict.stop;
}

/// Goes to the best weights, whose figures the summary then tells, or to the average.
void Training::adopt_final() {
  if (!stopping_.keeps_best() || best_is_current_) {
    if (average_) average_->adopt();
    return;
  }
  best_.restore(run_.model->store);
  log_info("{}: back to the best weights, {} {:.4g}", stage_, *config_.stop_when.best, *stopping_.best());
  measure();
}

void Training::show_samples(const std::string& when) {
  const std::span<const Episode> episodes = objective_.episodes();
  if (episodes.empty()) return;
  run_.report->samples(stage_ + ": samples " + when, episodes.first(std::min(episodes.size(), samples_shown)));
}

}  // namespace hone
