#include "stages/golden_curve.h"
#include "stages/language_model.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of a plain loop over transformers' BertForMaskedLM, run by tools/golden/mlm_curve.py: same weights, same
/// masked rows in the same order.
TEST_CASE("stages: BERT learns hidden tokens the way of transformers, step by step") {
  const Json golden = committed_golden("mlm_curve.json");
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  start_from(tiny, "bert_masked_lm");
  LearnableRows rows;
  for (const Json& row : golden.at("rows").as_array()) {
    TokenExample example;
    for (const Json& id : row.at("ids").as_array()) example.ids.push_back(static_cast<std::int32_t>(id.as_integer()));
    for (const Json& id : row.at("targets").as_array()) example.tags.push_back(id.as_integer());
    rows.train.push_back(std::move(example));
  }
  TrainingConfig config;
  set_steps(config, golden);
  LanguageModelObjective objective(tiny.run, std::move(rows), config.tokens_per_pass);
  Training(tiny.run, config, {}, "mlm", objective).run();
  check_curve_of(tiny, "mlm", golden, 2e-3);
}
