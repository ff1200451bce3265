#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/classify.h"
#include "stages/qa_span.h"
#include "stages/tiny_run.h"
#include "stages/token_classify.h"
#include "support/committed_golden.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of a plain loop over transformers' models, run by tools/golden/classify_curve.py: same weights, same rows in
/// the same order.
namespace {

/// A vocabulary of single letters and digits, as the script numbers them.
std::unique_ptr<Tokenizer> letters(const Scratch& scratch, const std::string& words) {
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (const char word : words) vocabulary += std::string(1, word) + "\n";
  std::filesystem::create_directory(scratch.path() / "letters");
  scratch.file("letters/vocab.txt", vocabulary);
  return load_tokenizer(scratch.path() / "letters");
}

double largest_gap(const Json& expected, const std::vector<double>& values) {
  REQUIRE(values.size() == expected.as_array().size());
  double gap = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    gap = std::max(gap, std::abs(values[i] - expected.as_array()[i].as_number()));
  }
  return gap;
}

template <class Spec>
void check_curve(const std::string& name) {
  const Json golden = committed_golden("classify_curve.json");
  const Json& expected = golden.at("runs").at(name);
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  const std::filesystem::path folder = committed_golden_folder() / "models" / expected.at("model").as_string();
  tiny.run.catalogs = &policy_table();
  tiny.run.tokenizer = letters(tiny.scratch, golden.at("words").as_string());
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
  std::string rows;
  for (const Json& row : expected.at("rows").as_array()) rows += row.dump() + "\n";
  tiny.add_data("rows", "rows.jsonl", rows);
  Spec spec;
  spec.kind = spec.name = name;
  spec.data = "rows";
  spec.training.steps = golden.at("steps").as_integer();
  spec.training.batch_size = golden.at("batch").as_integer();
  spec.training.optimizer.learning_rate = golden.at("learning_rate").as_number();
  spec.run(tiny.run);
  const std::vector<double> loss = tiny.series("loss");
  const double first = std::abs(loss[0] - expected.at("loss").as_array()[0].as_number());
  const double largest = largest_gap(expected.at("loss"), loss);
  const double norm = largest_gap(expected.at("grad_norm"), tiny.series("grad_norm"));
  MESSAGE(name, ": loss ", first, " at first, ", largest, " at most; gradient norm ", norm, " at most");
  CHECK(first <= 1e-5);
  CHECK(largest <= 2e-3);
  CHECK(norm <= 2e-3);
}

}  // namespace

TEST_CASE("stages: classes of pairs of texts go the way of transformers, step by step") {
  check_curve<ClassifySpec>("single_label");
}

TEST_CASE("stages: several labels at once go the way of transformers") { check_curve<ClassifySpec>("multi_label"); }

TEST_CASE("stages: regression goes the way of transformers") { check_curve<ClassifySpec>("regression"); }

TEST_CASE("stages: tags of words go the way of transformers") { check_curve<TokenClassifySpec>("tokens"); }

TEST_CASE("stages: answers to questions go the way of transformers") { check_curve<QaSpanSpec>("spans"); }
