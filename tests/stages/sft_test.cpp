#include "stages/sft.h"

#include "rewards/exact_match.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

std::unique_ptr<ExactMatchSpec> exact_match() {
  auto spec = std::make_unique<ExactMatchSpec>();
  spec->kind = spec->name = "exact_match";
  return spec;
}

SftSpec quick_sft() {
  SftSpec spec;
  spec.kind = spec.name = "sft";
  spec.source.environment = std::make_unique<FirstLetterSpec>();
  spec.training.steps = 400;
  spec.training.batch_size = 29;
  spec.training.optimizer.learning_rate = 1e-2;
  spec.evaluation.sampling.max_tokens = 3;
  return spec;
}

}  // namespace

TEST_CASE("stages: sft learns to answer, judged by generation, and stops when it is good enough") {
  TinyRun tiny;
  SftSpec spec = quick_sft();
  spec.evaluation.every = 10;
  spec.evaluation.rewards.push_back(exact_match());
  spec.training.stop_when.metric = "eval/reward";
  spec.training.stop_when.at_least = 0.99;
  const StageSummary summary = spec.run(tiny.run);
  REQUIRE(summary.held_out.size() == 2);
  CHECK(summary.held_out[0].metric == "reward (greedy)");
  CHECK(summary.held_out[0].before == 0);
  CHECK(*summary.held_out[0].after >= 0.99);
  CHECK(summary.held_out[1].metric == "reward (sampled)");
  CHECK(tiny.series("loss").size() % 10 == 0);
  CHECK(tiny.series("loss").size() < 400);
  CHECK(tiny.series("eval/exact_match/mean").back() == *summary.held_out[0].after);
  CHECK(tiny.series("eval/loss").size() == tiny.series("eval/reward").size());
  CHECK(tiny.text.find("sft: samples before") != std::string::npos);
  CHECK(tiny.text.find("sft: samples after") != std::string::npos);
}

TEST_CASE("stages: sft learns completions alone") {
  TinyRun tiny;
  // Prompts are noise that cannot be predicted; the completion is always the same.
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    std::string noise;
    for (int t = 0; t < 8; ++t) noise += static_cast<char>('a' + (i * 7919 + t * t * 31 + i * t * 17) % 26);
    lines += R"({"prompt":")" + noise + R"(","completion":" yes"})" + "\n";
  }
  tiny.add_data("answers", "answers.jsonl", lines, 0.2);
  SftSpec spec = quick_sft();
  spec.source.environment.reset();
  spec.source.data = "answers";
  spec.training.steps = 60;
  spec.training.batch_size = 16;
  const StageSummary summary = spec.run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(summary.held_out[0].metric == "loss");
  CHECK(*summary.held_out[0].after < 0.05);
}

TEST_CASE("stages: rows whose completions are all empty teach nothing, which is an error") {
  TinyRun tiny;
  tiny.add_data("answers", "answers.jsonl",
                R"({"prompt":"a","completion":""})"
                "\n"
                R"({"prompt":"b","completion":""})"
                "\n");
  SftSpec spec = quick_sft();
  spec.source.environment.reset();
  spec.source.data = "answers";
  const at::Tensor before = tiny.weights();
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "data.answers", "all labels are masked");
  CHECK(at::equal(tiny.weights(), before));
}

TEST_CASE("stages: a prompt that fills the context is an error that names the row") {
  TinyRun tiny;
  tiny.add_data("answers", "answers.jsonl",
                R"({"prompt":"a","completion":"b"})"
                "\n"
                R"({"prompt":")" +
                    std::string(60, 'x') +
                    R"(","completion":"b"})"
                    "\n");
  SftSpec spec = quick_sft();
  spec.source.environment.reset();
  spec.source.data = "answers";
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "answers.jsonl:2", "60 tokens", "48");
}

TEST_CASE("stages: sft refuses an environment that shows no answers") {
  TinyRun tiny;
  SftSpec spec = quick_sft();
  spec.source.environment = std::make_unique<FirstLetterSpec>(false);
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "no demonstration");
}
