#include <algorithm>
#include <cmath>

#include "policies/checkpoint.h"
#include "stages/sft.h"
#include "stages/tiny_run.h"
#include "support/committed_golden.h"
#include "text/chat_format.h"
#include "text/tokenizer_json.h"

using namespace hone;
using namespace hone::test;

/// 50 steps of TRL 1.16's SFTTrainer, watched by tools/golden/sft_curve.py: same weights, same rows in the same order.
namespace {

/// The largest distance of a metric from TRL's, and that of the first step.
struct Distance {
  double first = 0, largest = 0;
};

Distance distance(const Json& expected, const std::vector<double>& values) {
  REQUIRE(values.size() == expected.as_array().size());
  Distance found;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double gap = std::abs(values[i] - expected.as_array()[i].as_number());
    if (i == 0) found.first = gap;
    found.largest = std::max(found.largest, gap);
  }
  return found;
}

/// Learns from the rows of that file by TRL's settings, and compares.
void check_curve(const std::string& name, const std::string& rows, const std::function<void(SftSpec&)>& options) {
  const Json golden = committed_golden("sft_curve.json");
  TinyRun tiny(kernels::Compute::float32, static_cast<std::uint64_t>(golden.at("seed").as_integer()));
  const std::filesystem::path folder = committed_golden_folder() / "models" / "trl_policy";
  tiny.run.catalogs = &policy_table();
  tiny.run.tokenizer = load_tokenizer(folder);
  tiny.run.tokenizer->set_chat(ChatFormat::given((committed_golden_folder() / "sft_template.jinja").string()));
  tiny.run.policy = read_policy_spec(folder, policy_table());
  tiny.run.model = open_model(folder);
  tiny.run.data["rows"].path = (committed_golden_folder() / rows).string();
  SftSpec spec;
  spec.kind = spec.name = "sft";
  spec.source.data = "rows";
  spec.training.steps = golden.at("steps").as_integer();
  spec.training.batch_size = golden.at("batch").as_integer();
  spec.training.optimizer.learning_rate = golden.at("learning_rate").as_number();
  spec.training.optimizer.eps = 1e-8;
  spec.training.optimizer.max_grad_norm = 1;
  options(spec);
  spec.run(tiny.run);
  const Json& expected = golden.at("runs").at(name);
  const Distance loss = distance(expected.at("loss"), tiny.series("loss"));
  const Distance norm = distance(expected.at("grad_norm"), tiny.series("grad_norm"));
  MESSAGE(name, ": loss ", loss.first, " at first, ", loss.largest, " at most; gradient norm ", norm.first, ", ",
          norm.largest);
  CHECK(loss.first <= 1e-5);
  CHECK(loss.largest <= 2e-3);
  CHECK(norm.largest <= 2e-3);
}

}  // namespace

TEST_CASE("stages: fine-tuning on completions goes the way of TRL's trainer, step by step") {
  check_curve("completions", "sft_rows.jsonl", [](SftSpec&) {});
}

TEST_CASE("stages: fine-tuning on prompts and completions goes the way of TRL's trainer") {
  check_curve("everything", "sft_rows.jsonl", [](SftSpec& spec) { spec.learn = Learned::everything; });
}

TEST_CASE("stages: smoothed labels go the way of TRL's trainer") {
  check_curve("smoothed", "sft_rows.jsonl", [](SftSpec& spec) { spec.regularization.label_smoothing = 0.1; });
}

TEST_CASE("stages: fine-tuning on the assistant's turns of conversations goes the way of TRL's trainer") {
  check_curve("conversations", "sft_conversations.jsonl", [](SftSpec&) {});
}
