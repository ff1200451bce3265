#include "stages/classify.h"
#include "stages/golden_curve.h"
#include "stages/qa_span.h"
#include "stages/token_classify.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of a plain loop over transformers' models, run by tools/golden/classify_curve.py: same weights, same rows in
/// the same order.
namespace {

template <class Spec>
void check_curve(const std::string& name) {
  const Json golden = committed_golden("classify_curve.json");
  const Json& expected = golden.at("runs").at(name);
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  tiny.run.tokenizer = letter_pieces(tiny.scratch, golden.at("words").as_string());
  start_from(tiny, expected.at("model").as_string());
  std::string rows;
  for (const Json& row : expected.at("rows").as_array()) rows += row.dump() + "\n";
  tiny.add_data("rows", "rows.jsonl", rows);
  Spec spec;
  spec.kind = spec.name = name;
  spec.data = "rows";
  set_steps(spec.training, golden);
  spec.run(tiny.run);
  check_curve_of(tiny, name, expected, 2e-3);
}

}  // namespace

TEST_CASE("stages: classes of pairs of texts go the way of transformers, step by step") {
  check_curve<ClassifySpec>("single_label");
}

TEST_CASE("stages: several labels at once go the way of transformers") { check_curve<ClassifySpec>("multi_label"); }

TEST_CASE("stages: regression goes the way of transformers") { check_curve<ClassifySpec>("regression"); }

TEST_CASE("stages: tags of words go the way of transformers") { check_curve<TokenClassifySpec>("tokens"); }

TEST_CASE("stages: answers to questions go the way of transformers") { check_curve<QaSpanSpec>("spans"); }
