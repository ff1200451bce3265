#include <algorithm>
#include <cmath>
#include <functional>

#include "policies/checkpoint.h"
#include "stages/preference_objective.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"
#include "support/test_data.h"

using namespace hone;
using namespace hone::test;

/// The trained story model under every pair loss, as a plain transformers loop trains it: tools/golden/story_preferences.py.
namespace {

TokenExample answer(const Json& pair, const std::string& side, std::int64_t row) {
  TokenExample example{.row = row};
  for (const std::string& part : {std::string("prompt"), side}) {
    for (const Json& id : pair.at(part).as_array()) example.ids.push_back(static_cast<std::int32_t>(id.as_integer()));
    if (part == "prompt") example.context_tokens = static_cast<std::int64_t>(example.ids.size());
  }
  return example;
}

PreferenceOptions options_of(const Json& json) {
  const std::string& name = json.at("loss").as_string();
  const std::vector<std::string> names = {"sigmoid", "sigmoid_norm", "hinge", "ipo", "robust", "cpo", "simpo", "orpo"};
  const auto number = [&](const std::string& key) {
    const Json* value = json.find(key);
    return value == nullptr ? 0.0 : value->as_number();
  };
  return {.loss = static_cast<PreferenceLoss>(std::find(names.begin(), names.end(), name) - names.begin()),
          .beta = number("beta"),
          .label_smoothing = number("label_smoothing"),
          .margin = number("margin"),
          .nll_weight = number("nll_weight")};
}

/// The largest relative distance over all steps.
double distance(const std::vector<double>& ours, const Json& theirs) {
  REQUIRE(ours.size() == theirs.as_array().size());
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double expected = theirs.as_array()[i].as_number();
    largest = std::max(largest, std::abs(ours[i] - expected) / std::abs(expected));
  }
  return largest;
}

}  // namespace

TEST_CASE("stages: a trained model under every pair loss takes the steps of a transformers loop") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json golden = committed_golden("story_preferences.json");
  for (const auto& [name, curve] : golden.at("curves").as_object()) {
    CAPTURE(name);
    TinyRun tiny;
    tiny.run.model = open_model(folder / "models/stories260K/hf");
    LearnableRows rows;
    const auto& pairs = golden.at("pairs").as_array();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      for (const char* side : {"chosen", "rejected"}) {
        rows.train.push_back(answer(pairs[i], side, static_cast<std::int64_t>(i)));
      }
    }
    TrainingConfig config;
    config.steps = golden.at("steps").as_integer();
    config.batch_size = static_cast<std::int64_t>(pairs.size());
    config.tokens_per_pass = 100;
    config.optimizer.learning_rate = golden.at("learning_rate").as_number();
    config.optimizer.eps = 1e-8;
    config.optimizer.max_grad_norm = 1;
    const PreferenceOptions options = options_of(curve.at("options"));
    PreferenceObjective objective(tiny.run, std::move(rows), config.tokens_per_pass, options, nullptr);
    const std::string stage = "dpo";
    Training(tiny.run, config, {}, stage, objective).run();
    const double loss = distance(tiny.series("loss"), curve.at("loss"));
    const double norm = distance(tiny.series("grad_norm"), curve.at("grad_norm"));
    MESSAGE(name, ": loss ", loss, ", gradient norm ", norm);
    CHECK(loss <= 1e-4);
    CHECK(norm <= 1e-4);
  }
}
