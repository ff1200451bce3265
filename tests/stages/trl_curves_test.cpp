#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/dpo.h"
#include "stages/kto.h"
#include "stages/reward_model.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of TRL 1.16's DPOTrainer, KTOTrainer and RewardTrainer, watched by tools/golden/preference_curves.py: same
/// weights, same rows in the same order.
namespace {

std::filesystem::path model_folder(const std::string& name) { return committed_golden_folder() / "models" / name; }

template <class Spec>
Spec trl_settings(const Json& golden, const std::string& stage) {
  Spec spec;
  spec.kind = spec.name = stage;
  spec.data = "rows";
  spec.training.steps = golden.at("steps").as_integer();
  spec.training.batch_size = golden.at("batch").as_integer();
  spec.training.optimizer.learning_rate = golden.at("learning_rate").as_number();
  spec.training.optimizer.eps = 1e-8;
  spec.training.optimizer.max_grad_norm = 1;
  return spec;
}

/// A run on TRL's rows and first weights.
struct TrlRun {
  TrlRun(const Json& golden, const std::string& stage, const std::string& model)
      : tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer())),
        catalogs(policy_table()) {
    tiny.run.catalogs = &catalogs;
    tiny.run.tokenizer = load_tokenizer(model_folder(model));
    tiny.run.policy = read_policy_spec(model_folder(model), catalogs);
    tiny.run.model = open_model(model_folder(model));
    DataConfig rows;
    rows.path = (committed_golden_folder() / (stage + "_rows.jsonl")).string();
    tiny.run.data["rows"] = rows;
  }
  TinyRun tiny;
  Catalogs catalogs;
};

/// The largest distance of a metric from TRL's, over all steps; `first` is that of the first step.
struct Distance {
  double first = 0, largest = 0;
};

Distance distance(const Json& golden, const TinyRun& tiny, const std::string& theirs, const std::string& ours) {
  const auto& expected = golden.at("metrics").at(theirs).as_array();
  const std::vector<double> values = tiny.series(ours);
  REQUIRE(values.size() == expected.size());
  Distance found;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double gap = std::abs(values[i] - expected[i].as_number());
    if (i == 0) found.first = gap;
    found.largest = std::max(found.largest, gap);
  }
  MESSAGE(ours, ": first step ", found.first, ", all ", found.largest);
  return found;
}

void check_curve(const Json& golden, const TinyRun& tiny) {
  const Distance loss = distance(golden, tiny, "loss", "loss");
  CHECK(loss.first <= 1e-5);
  CHECK(loss.largest <= 2e-3);
  CHECK(distance(golden, tiny, "grad_norm", "grad_norm").largest <= 2e-3);
}

}  // namespace

TEST_CASE("stages: DPO goes the way of TRL's trainer, step by step") {
  const Json golden = committed_golden("dpo_curve.json");
  TrlRun trl(golden, "dpo", "trl_policy");
  auto spec = trl_settings<DpoSpec>(golden, "dpo");
  spec.options.beta = golden.at("beta").as_number();
  spec.reference = model_folder("trl_reference").string();
  spec.run(trl.tiny.run);
  check_curve(golden, trl.tiny);
  for (const char* name : {"rewards/chosen", "rewards/rejected", "rewards/margins", "logps/chosen", "logps/rejected"}) {
    CHECK(distance(golden, trl.tiny, name, name).largest <= 5e-3);
  }
  CHECK(distance(golden, trl.tiny, "rewards/accuracies", "rewards/accuracies").largest < 1e-6);
}

TEST_CASE("stages: KTO goes the way of TRL's trainer, step by step") {
  const Json golden = committed_golden("kto_curve.json");
  TrlRun trl(golden, "kto", "trl_policy");
  auto spec = trl_settings<KtoSpec>(golden, "kto");
  spec.options = {.beta = golden.at("beta").as_number(), .undesirable_weight = 1.5};
  spec.reference = model_folder("trl_reference").string();
  spec.run(trl.tiny.run);
  check_curve(golden, trl.tiny);
  CHECK(distance(golden, trl.tiny, "kl", "kl").largest <= 2e-3);
  for (const char* name : {"rewards/chosen", "rewards/rejected", "logps/chosen", "logps/rejected"}) {
    CHECK(distance(golden, trl.tiny, name, name).largest <= 5e-3);
  }
}

TEST_CASE("stages: a reward model with margins and centring goes the way of TRL's trainer, step by step") {
  const Json golden = committed_golden("reward_model_curve.json");
  TrlRun trl(golden, "reward_model", "trl_reward");
  auto spec = trl_settings<RewardModelSpec>(golden, "reward_model");
  spec.centering = 0.01;
  spec.run(trl.tiny.run);
  check_curve(golden, trl.tiny);
  for (const char* name : {"accuracy", "margin", "mean_reward"}) {
    CHECK(distance(golden, trl.tiny, name, name).largest <= 2e-3);
  }
}

/// The next two are watched by tools/golden/reward_heads.py: TRL 1.12's PRMTrainer, and a plain loop over transformers'
/// head with three outputs.
TEST_CASE("stages: a reward model of steps goes the way of TRL's trainer, step by step") {
  const Json golden = committed_golden("process_reward_curve.json");
  TrlRun trl(golden, "process_reward", "trl_steps");
  auto spec = trl_settings<RewardModelSpec>(golden, "process_reward");
  spec.step_separator = "j";
  spec.run(trl.tiny.run);
  check_curve(golden, trl.tiny);
}

TEST_CASE("stages: a reward model of several scores goes the way of a plain loop, step by step") {
  const Json golden = committed_golden("reward_scores_curve.json");
  TrlRun trl(golden, "reward_scores", "reward_scores");
  auto spec = trl_settings<RewardModelSpec>(golden, "reward_scores");
  spec.weights = {{"short", 2}, {"safe", 0.5}};
  spec.run(trl.tiny.run);
  check_curve(golden, trl.tiny);
}
