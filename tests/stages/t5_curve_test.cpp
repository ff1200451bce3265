#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/language_model.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of a plain loop over transformers' T5, run by tools/golden/t5_curve.py: same weights, same rows in the same
/// order.
namespace {

std::vector<std::int32_t> ids_of(const Json& list) {
  std::vector<std::int32_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
  return ids;
}

/// A target behind what the decoder starts with.
TokenExample example_of(const Json& row, std::int32_t decoder_start) {
  TokenExample example{.ids = ids_of(row.at("target")), .context_tokens = 1, .source_ids = ids_of(row.at("source"))};
  example.ids.insert(example.ids.begin(), decoder_start);
  return example;
}

}  // namespace

TEST_CASE("stages: T5 learns targets the way of transformers, step by step") {
  const Json golden = committed_golden("t5_curve.json");
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  const std::filesystem::path folder = committed_golden_folder() / "models" / "t5";
  tiny.run.catalogs = &policy_table();
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
  LearnableRows rows;
  for (const Json& row : golden.at("rows").as_array()) {
    rows.train.push_back(example_of(row, tiny.run.model->policy->shape().decoder_start));
  }
  TrainingConfig config;
  config.steps = golden.at("steps").as_integer();
  config.batch_size = golden.at("batch").as_integer();
  config.optimizer.learning_rate = golden.at("learning_rate").as_number();
  LanguageModelObjective objective(tiny.run, std::move(rows), config.tokens_per_pass);
  Training(tiny.run, config, {}, "t5", objective).run();
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
  CHECK(norm <= golden.at("grad_norm_rounding").as_number());  // of transformers' own float32
}
