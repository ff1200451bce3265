#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/language_model.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of a plain loop over transformers' BertForMaskedLM, run by tools/golden/mlm_curve.py: same weights, same
/// masked rows in the same order.
TEST_CASE("stages: BERT learns hidden tokens the way of transformers, step by step") {
  const Json golden = committed_golden("mlm_curve.json");
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  const std::filesystem::path folder = committed_golden_folder() / "models" / "bert_masked_lm";
  tiny.run.catalogs = &policy_table();
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
  LearnableRows rows;
  for (const Json& row : golden.at("rows").as_array()) {
    TokenExample example;
    for (const Json& id : row.at("ids").as_array()) example.ids.push_back(static_cast<std::int32_t>(id.as_integer()));
    for (const Json& id : row.at("targets").as_array()) example.tags.push_back(id.as_integer());
    rows.train.push_back(std::move(example));
  }
  TrainingConfig config;
  config.steps = golden.at("steps").as_integer();
  config.batch_size = golden.at("batch").as_integer();
  config.optimizer.learning_rate = golden.at("learning_rate").as_number();
  LanguageModelObjective objective(tiny.run, std::move(rows), config.tokens_per_pass);
  Training(tiny.run, config, {}, "mlm", objective).run();
  double largest = 0, norm = 0;
  const std::vector<double> loss = tiny.series("loss"), norms = tiny.series("grad_norm");
  const Json::Array &losses = golden.at("loss").as_array(), &expected_norms = golden.at("grad_norm").as_array();
  REQUIRE(loss.size() == losses.size());
  for (std::size_t i = 0; i < loss.size(); ++i) {
    largest = std::max(largest, std::abs(loss[i] - losses[i].as_number()));
    norm = std::max(norm, std::abs(norms[i] - expected_norms[i].as_number()));
  }
  MESSAGE("loss ", std::abs(loss[0] - losses[0].as_number()), " at first, ", largest, " at most; gradient norm ", norm);
  CHECK(std::abs(loss[0] - losses[0].as_number()) <= 1e-5);
  CHECK(largest <= 2e-3);
  CHECK(norm <= 2e-3);
}
