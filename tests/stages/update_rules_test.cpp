#include "stages/language_model.h"
#include "stages/tiny_run.h"
#include "stages/training.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Letters in the order of the alphabet, from any letter on.
std::vector<TokenExample> alphabets() {
  std::vector<TokenExample> examples;
  for (std::int32_t first = 0; first < 16; ++first) {
    TokenExample example{.row = first};
    for (std::int32_t t = 0; t < 12; ++t) example.ids.push_back('a' + (first + t) % 26);
    examples.push_back(std::move(example));
  }
  return examples;
}

std::pair<double, double> losses(const OptimizerConfig& optimizer, kernels::Compute compute) {
  TinyRun tiny(compute);
  LanguageModelObjective objective(tiny.run, {alphabets(), {}}, 1000);
  TrainingConfig config;
  config.steps = 60;
  config.batch_size = 8;
  config.optimizer = optimizer;
  Training(tiny.run, config, {}, "learned", objective).run();
  const std::vector<double> loss = tiny.series("loss");
  return {loss.front(), loss.back()};
}

}  // namespace

TEST_CASE("stages: a stage learns by every rule") {
  const std::pair<RuleKind, double> rules[] = {{RuleKind::adamw, 1e-2},
                                               {RuleKind::adafactor, 1e-2},
                                               {RuleKind::lion, 2e-3},
                                               {RuleKind::muon, 1e-2},
                                               {RuleKind::sgd, 0.3}};
  for (const auto& [rule, rate] : rules) {
    CAPTURE(rule_names[static_cast<std::size_t>(rule)]);
    OptimizerConfig config{.rule = rule, .learning_rate = rate, .schedule = {.decay = Decay::wsd, .warmup_steps = 5}};
    config.sgd.momentum = 0.9;
    const auto [first, last] = losses(config, kernels::Compute::float32);
    CHECK(first > 4);
    CHECK(last < 0.5 * first);
  }
}

TEST_CASE("stages: Muon learns in bfloat16 as in float32") {
  const OptimizerConfig config{.rule = RuleKind::muon, .learning_rate = 1e-2};
  const double exact = losses(config, kernels::Compute::float32).second;
  const double rounded = losses(config, kernels::Compute::bfloat16).second;
  CHECK(rounded < 1.3 * exact + 0.1);
}
