#include "stages/eval.h"

#include <cmath>

#include "rewards/exact_match.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("stages: eval measures generation and data, and changes no weight") {
  TinyRun tiny;
  std::string lines;
  for (char c = 'a'; c <= 'z'; ++c) lines += fmt::format("{{\"text\":\"{}bcd\"}}\n", c);
  tiny.add_data("texts", "texts.jsonl", lines, 0.5);
  REQUIRE(tiny.run.dataset("texts")->has(Split::held_out));
  EvalSpec spec;
  spec.kind = spec.name = "eval";
  spec.generation.environment = std::make_unique<FirstLetterSpec>();
  auto reward = std::make_unique<ExactMatchSpec>();
  reward->kind = reward->name = "exact_match";
  spec.generation.rewards.push_back(std::move(reward));
  spec.generation.sampling.max_tokens = 3;
  spec.samples = 2;
  spec.data = "texts";
  const at::Tensor before = tiny.weights();
  const StageSummary summary = spec.run(tiny.run);
  CHECK(at::equal(tiny.weights(), before));
  REQUIRE(tiny.rows.size() == 1);
  CHECK(tiny.series("eval/reward").size() == 1);
  CHECK(tiny.series("eval_sampled/reward").size() == 1);
  CHECK(tiny.series("eval/completions/mean_length").at(0) <= 3);
  CHECK(tiny.series("eval/perplexity").at(0) == doctest::Approx(std::exp(tiny.series("eval/loss").at(0))));
  REQUIRE(summary.held_out.size() == 3);
  CHECK(summary.held_out[2].metric == "loss");
  CHECK(!summary.held_out[2].before.has_value());
  CHECK(tiny.text.find("eval: samples") != std::string::npos);
}

TEST_CASE("stages: eval of a data set without held-out rows says what to set") {
  TinyRun tiny;
  tiny.add_data("texts", "texts.jsonl", "{\"text\":\"abcd\"}\n");
  EvalSpec spec;
  spec.kind = spec.name = "eval";
  spec.data = "texts";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "data.texts", "held_out");
}
