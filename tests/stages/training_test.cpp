#include <cmath>
#include <limits>
#include <numeric>

#include "io/atomic_directory.h"
#include "stages/language_model.h"
#include "stages/model_directory.h"
#include "stages/pretrain.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

std::vector<std::uint64_t> first_rows(std::size_t count) {
  std::vector<std::uint64_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Examples of different lengths, some with context.
std::vector<TokenExample> ragged_examples(std::size_t count) {
  std::vector<TokenExample> examples;
  for (std::size_t i = 0; i < count; ++i) {
    TokenExample example{.context_tokens = static_cast<std::int64_t>(i % 3), .row = static_cast<std::int64_t>(i)};
    for (std::size_t t = 0; t < 4 + 7 * i % 31; ++t)
      example.ids.push_back(static_cast<std::int32_t>((i * 37 + t * 11) % 256));
    examples.push_back(std::move(example));
  }
  return examples;
}

double relative_distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).to(at::kDouble).norm() / b.to(at::kDouble).norm()).item<double>();
}

/// The gradient of a language model's batch, computed in passes of so many tokens.
std::pair<double, at::Tensor> gradient(TinyRun& tiny, LanguageModelObjective& objective, std::int64_t tokens_per_pass) {
  tiny.run.model->store.zero_grads();
  const double loss = objective.accumulate(first_rows(24), {tokens_per_pass});
  return {loss, tiny.run.model->store.grads().clone()};
}

/// Learns from rows whose loss is not finite at the steps that the test names.
class BrokenObjective : public LanguageModelObjective {
 public:
  BrokenObjective(Run& run, std::vector<bool> broken)
      : LanguageModelObjective(run, {ragged_examples(8), {}}, 1000), broken_(std::move(broken)) {}

  at::Tensor loss(const Batch& part, double denominator, const DropoutDraw& dropout) override {
    const at::Tensor loss = LanguageModelObjective::loss(part, denominator, dropout);
    const bool broken = calls_ < broken_.size() && broken_[calls_];
    ++calls_;
    return broken ? loss * std::numeric_limits<double>::quiet_NaN() : loss;
  }
  std::size_t calls() const { return calls_; }

 private:
  std::vector<bool> broken_;
  std::size_t calls_ = 0;
};

/// Its held-out loss is what the test says it is, whatever was learned.
class ScriptedObjective : public LanguageModelObjective {
 public:
  ScriptedObjective(Run& run, std::vector<double> script)
      : LanguageModelObjective(run, {ragged_examples(8), {}}, 1000), run_(run), script_(std::move(script)) {}

  MetricValues evaluate() override {
    seen.push_back(run_.model->store.weights().clone());
    return {{"eval/loss", script_.at(std::min(seen.size(), script_.size()) - 1)}};
  }
  std::vector<at::Tensor> seen;

 private:
  Run& run_;
  std::vector<double> script_;
};

TrainingConfig quick_training(std::int64_t steps) {
  TrainingConfig config;
  config.steps = steps;
  config.batch_size = 4;
  config.optimizer.learning_rate = 1e-3;
  return config;
}

}  // namespace

TEST_CASE("stages: the accumulated gradient does not depend on how a batch is cut into passes") {
  TinyRun tiny;
  LanguageModelObjective objective(tiny.run, {ragged_examples(24), {}}, 1000);
  const auto [whole_loss, whole] = gradient(tiny, objective, 1'000'000);
  CHECK(whole.norm().item<double>() > 1e-3);
  for (const std::int64_t tokens_per_pass : {1, 20, 64, 100, 300}) {
    CAPTURE(tokens_per_pass);
    const auto [loss, parts] = gradient(tiny, objective, tokens_per_pass);
    CHECK(loss == doctest::Approx(whole_loss).epsilon(1e-9));
    CHECK(relative_distance(parts, whole) <= 1e-6);
  }
}

TEST_CASE("stages: the loss is the mean over the batch's tokens, not over its passes") {
  TinyRun tiny;
  const std::vector<TokenExample> examples = ragged_examples(24);
  LanguageModelObjective objective(tiny.run, {examples, examples}, 64);
  const double held_out_loss = objective.evaluate()[0].second;
  CHECK(gradient(tiny, objective, 64).first == doctest::Approx(held_out_loss).epsilon(1e-6));
}

TEST_CASE("stages: dropout changes the gradient, and the same key gives the same one") {
  TinyRun tiny;
  LanguageModelObjective objective(tiny.run, {ragged_examples(24), {}}, 1000);
  const auto dropped = [&](std::uint64_t key) {
    tiny.run.model->store.zero_grads();
    objective.accumulate(first_rows(24), {200, 0.2, key});
    return tiny.run.model->store.grads().clone();
  };
  CHECK(at::equal(dropped(1), dropped(1)));
  CHECK(relative_distance(dropped(1), dropped(2)) > 1e-2);
}

TEST_CASE("stages: an update that is not finite is skipped, and counted") {
  TinyRun tiny;
  TrainingConfig config = quick_training(4);
  config.max_skipped_updates = 2;
  BrokenObjective objective(tiny.run, {false, true, true, false});
  Training(tiny.run, config, {}, "broken", objective).run();
  CHECK(tiny.series("skipped_updates") == std::vector<double>{1, 2, 2});
  CHECK(tiny.run.model->store.version() == 2);
  CHECK(at::isfinite(tiny.weights()).all().item<bool>());
}

TEST_CASE("stages: too many skipped updates stop the run with the batch dumped and the weights intact") {
  TinyRun tiny;
  TrainingConfig config = quick_training(10);
  config.max_skipped_updates = 2;
  BrokenObjective objective(tiny.run, {true, true, true, true});
  const at::Tensor before = tiny.weights();
  Training training(tiny.run, config, {}, "broken", objective);
  HONE_CHECK_ERROR(data, training.run(), "broken", "3 updates in a row", "broken_failed_batch.json");
  CHECK(objective.calls() == 3);
  CHECK(at::equal(tiny.weights(), before));
  const Json dump = Json::parse(contents_of(tiny.run.directory / "broken_failed_batch.json"), "dump");
  CHECK(dump.at("start").as_array().size() == 5);
  CHECK(dump.at("ids").as_array().size() == dump.at("mask").as_array().size());
}

TEST_CASE("stages: weights that already hold a NaN skip every update") {
  TinyRun tiny;
  tiny.run.model->store.weights()[0] = std::numeric_limits<float>::quiet_NaN();
  tiny.run.model->store.refresh();
  TrainingConfig config = quick_training(10);
  config.max_skipped_updates = 0;
  LanguageModelObjective objective(tiny.run, {{{.ids = {0, 1, 2, 3}}}, {}}, 1000);
  Training training(tiny.run, config, {}, "nan", objective);
  HONE_CHECK_ERROR(data, training.run(), "nan_failed_batch.json");
}

TEST_CASE("stages: a batch in which nothing is learned is an error") {
  TinyRun tiny;
  LanguageModelObjective objective(tiny.run, {{{.ids = {1, 2, 3}, .context_tokens = 3}}, {}}, 1000);
  HONE_CHECK_ERROR(data, objective.accumulate(first_rows(1), {100}), "mask");
}

TEST_CASE("stages: a stage stops when its metric is reached") {
  TinyRun tiny;
  TrainingConfig config = quick_training(100);
  config.stop_when.metric = "eval/loss";
  config.stop_when.at_most = 2.0;
  ScriptedObjective objective(tiny.run, {5, 4, 1.5, 1});
  const StageSummary summary = Training(tiny.run, config, {.steps = 3}, "scripted", objective).run();
  CHECK(tiny.series("loss").size() == 6);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(summary.held_out[0].metric == "loss");
  CHECK(summary.held_out[0].before == 5);
  CHECK(summary.held_out[0].after == 1.5);
}

TEST_CASE("stages: the best weights stay, and the summary tells their figures") {
  TinyRun tiny;
  TrainingConfig config = quick_training(100);
  config.stop_when.best = "eval/loss";
  config.stop_when.best_is_lowest = true;
  config.stop_when.patience = 2;
  ScriptedObjective objective(tiny.run, {5, 3, 4, 4.5, 3});
  const StageSummary summary = Training(tiny.run, config, {.steps = 2}, "scripted", objective).run();
  REQUIRE(objective.seen.size() == 5);  // the last look is at the weights that were put back
  CHECK(at::equal(objective.seen[1], tiny.weights()));
  CHECK(at::equal(objective.seen[4], objective.seen[1]));
  CHECK(!at::equal(objective.seen[3], objective.seen[1]));
  CHECK(summary.held_out.at(0).after == 3);
}

TEST_CASE("stages: the best weights lie on the disk with their figures while the stage goes on") {
  TinyRun tiny;
  TrainingConfig config = quick_training(8);
  config.stop_when.best = "eval/loss";  // known to be better when lower
  ScriptedObjective objective(tiny.run, {5, 3, 4, 4.5, 6});
  Training(tiny.run, config, {.steps = 2}, "scripted", objective).run();
  const std::filesystem::path best = tiny.run.checkpoint_directory("scripted") / "best";
  CHECK(verify_directory(best).empty());
  const Json figures = Json::parse(contents_of(best / "best.json"), "best.json");
  CHECK(figures.at("step").as_integer() == 2);
  CHECK(figures.at("metric").as_string() == "eval/loss");
  CHECK(figures.at("value").as_number() == 3);
  const at::Tensor kept = tiny.weights();
  tiny.run.model->store.weights().zero_();
  load_weights(*tiny.run.model, best);
  CHECK(at::equal(tiny.weights(), kept));
}

TEST_CASE("stages: patience counts evaluations without the least gain, and the best is kept all the same") {
  const StoppingConfig config{.best = "eval/loss", .patience = 2, .least_gain = 0.5};
  Stopping stopping(config);
  CHECK(stopping.observe({{"eval/loss", 5}}).is_best);
  const Stopping::Verdict little = stopping.observe({{"eval/loss", 4.8}});
  CHECK(little.is_best);
  CHECK(little.stop.empty());
  CHECK(stopping.observe({{"eval/loss", 4.4}}).stop.empty());  // 0.6 better than what patience measures from
  CHECK(stopping.observe({{"eval/loss", 4.3}}).stop.empty());
  CHECK(stopping.observe({{"eval/loss", 4.5}}).stop == "eval/loss has not improved on 4.3 in 2 evaluations");
  CHECK(*stopping.best() == 4.3);
}

TEST_CASE("stages: which way a metric is better") {
  const auto lower = [](const char* name, bool told = false) {
    return StoppingConfig{.best = name, .best_is_lowest = told}.lower_is_better();
  };
  for (const char* name : {"eval/loss", "eval/perplexity", "eval/mse", "eval/rmse", "eval/mae", "eval/ece"}) CHECK(lower(name));
  for (const char* name : {"eval/accuracy", "eval/reward", "eval/f1", "eval/spearman"}) CHECK(!lower(name));
  CHECK(lower("eval/length", true));
  Stopping stopping({.best = "eval/loss"});
  stopping.observe({{"eval/loss", std::nan("")}});
  CHECK(stopping.observe({{"eval/loss", 9}}).is_best);
  CHECK(!stopping.observe({{"eval/loss", std::nan("")}}).is_best);
}

TEST_CASE("stages: rows of metrics tell of log_every steps") {
  TinyRun every, third;
  TrainingConfig config = quick_training(7);
  LanguageModelObjective first(every.run, {ragged_examples(8), {}}, 1000);
  Training(every.run, config, {}, "logged", first).run();
  config.log_every = 3;
  LanguageModelObjective second(third.run, {ragged_examples(8), {}}, 1000);
  Training(third.run, config, {}, "logged", second).run();
  const std::vector<double> all = every.series("loss"), means = third.series("loss");
  REQUIRE(all.size() == 7);
  REQUIRE(means.size() == 3);
  CHECK(means[0] == doctest::Approx((all[0] + all[1] + all[2]) / 3));
  CHECK(means[1] == doctest::Approx((all[3] + all[4] + all[5]) / 3));
  CHECK(means[2] == all[6]);
  CHECK(third.series("epoch") == std::vector<double>{1.5, 3, 3.5});
  CHECK(third.rows.back().step == 7);
  CHECK(at::equal(every.weights(), third.weights()));
}

TEST_CASE("stages: an average of the weights is what is evaluated and what a stage ends with") {
  const auto run = [](TinyRun& tiny, double decay) {
    TrainingConfig config = quick_training(6);
    config.average_decay = decay;
    ScriptedObjective objective(tiny.run, {5});
    Training(tiny.run, config, {.steps = 1}, "averaged", objective).run();
    return objective.seen;
  };
  TinyRun plain, averaged;
  const std::vector<at::Tensor> weights = run(plain, 0), means = run(averaged, 0.9);
  REQUIRE(weights.size() == 7);
  REQUIRE(means.size() == 7);
  at::Tensor expected = weights[0].to(at::kDouble);
  for (std::size_t n = 1; n < weights.size(); ++n) {
    const double decay = (1.0 + static_cast<double>(n)) / (10.0 + static_cast<double>(n));
    expected = decay * expected + (1 - decay) * weights[n].to(at::kDouble);
    CHECK((means[n] - expected).abs().max().item<double>() < 1e-6);
  }
  CHECK(at::equal(averaged.weights(), means.back()));
}

TEST_CASE("stages: the best of the averages is kept") {
  TinyRun tiny;
  TrainingConfig config = quick_training(4);
  config.average_decay = 0.9;
  config.stop_when.best = "eval/loss";
  ScriptedObjective objective(tiny.run, {5, 3, 4, 3});
  Training(tiny.run, config, {.steps = 2}, "averaged", objective).run();
  REQUIRE(objective.seen.size() == 4);
  CHECK(at::equal(tiny.weights(), objective.seen[1]));
}

TEST_CASE("stages: a metric that stop_when names and nobody measures is an error that lists the others") {
  TinyRun tiny;
  TrainingConfig config = quick_training(10);
  config.stop_when.metric = "eval/reward";
  config.stop_when.at_least = 1;
  ScriptedObjective objective(tiny.run, {5});
  Training training(tiny.run, config, {}, "scripted", objective);
  HONE_CHECK_ERROR(config, training.run(), "eval/reward", "eval/loss");
}

TEST_CASE("stages: evaluation follows steps or epochs") {
  const EvaluationInterval never;
  CHECK(!never.due(10, 0.5, 1.5));
  const EvaluationInterval by_steps{.steps = 5};
  CHECK(by_steps.due(10, 0, 0));
  CHECK(!by_steps.due(11, 0, 0));
  const EvaluationInterval by_epochs{.epochs = 0.5};
  CHECK(by_epochs.due(1, 0.4, 0.5));
  CHECK(by_epochs.due(1, 0.9, 1.2));
  CHECK(!by_epochs.due(1, 0.5, 0.9));
}

TEST_CASE("stages: a stage is as long as its steps or its epochs say") {
  TrainingConfig config;
  config.batch_size = 32;
  CHECK(config.total_steps(320) == 10);
  CHECK(config.total_steps(321) == 11);
  CHECK(config.total_steps(5) == 1);  // a batch of all there is
  config.epochs = 2.5;
  CHECK(config.total_steps(320) == 25);
  config.epochs.reset();
  config.steps = 7;
  CHECK(config.total_steps(320) == 7);
  CHECK(config.arithmetic().at(1) == std::pair<std::string, std::string>("optimizer steps", "7"));
}

TEST_CASE("stages: step metrics and checkpoints") {
  TinyRun tiny;
  tiny.add_data("texts", "texts.jsonl",
                R"({"text":"abcd"})"
                "\n"
                R"({"text":"bcda"})"
                "\n"
                R"({"text":"cdab"})"
                "\n");
  PretrainSpec spec;
  spec.name = "pretrain";
  spec.source.data = "texts";
  spec.training.steps = 4;
  spec.training.batch_size = 2;
  spec.training.checkpoint_every = 2;
  spec.run(tiny.run);
  CHECK(tiny.series("epoch") == std::vector<double>{2 / 3.0, 4 / 3.0, 2, 8 / 3.0});
  CHECK(tiny.series("learning_rate") == std::vector<double>(4, 3e-4));
  for (const char* metric : {"loss", "grad_norm", "tokens_per_second"}) CHECK(tiny.series(metric).size() == 4);
  for (const char* step : {"step_2", "step_4"}) {
    CHECK(std::filesystem::exists(tiny.run.checkpoint_directory("pretrain") / step / "model.safetensors"));
  }
  CHECK(!std::filesystem::exists(tiny.run.checkpoint_directory("pretrain") / "step_3"));
}
