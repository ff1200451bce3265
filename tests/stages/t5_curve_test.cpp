#include "stages/golden_curve.h"
#include "stages/language_model.h"

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

/// The queries times `factor`.
void scale_queries(Model& model, double factor) {
  for (const Segment& segment : model.store.segments()) {
    std::int64_t row = 0;
    for (const SegmentPart& part : segment.parts) {
      if (part.hf_name.ends_with(".q.weight")) {
        model.store.find(segment.name).weight().narrow(0, row, part.rows).mul_(factor);
      }
      row += part.rows;
    }
  }
  model.store.refresh();
}

}  // namespace

TEST_CASE("stages: T5 learns targets the way of transformers, step by step") {
  const Json golden = committed_golden("t5_curve.json");
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  start_from(tiny, "t5");
  scale_queries(*tiny.run.model, golden.at("query_scale").as_number());
  LearnableRows rows;
  for (const Json& row : golden.at("rows").as_array()) {
    rows.train.push_back(example_of(row, tiny.run.model->policy->shape().decoder_start));
  }
  TrainingConfig config;
  set_steps(config, golden);
  LanguageModelObjective objective(tiny.run, std::move(rows), config.tokens_per_pass);
  Training(tiny.run, config, {}, "t5", objective).run();
  check_curve_of(tiny, "t5", golden, 1e-4);
}
