#include "stages/pretrain.h"

#include <cmath>

#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

std::string alphabet_rows(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    std::string text;
    for (int t = 0; t < 12 + i % 7; ++t) text += static_cast<char>('a' + (i + t) % 26);
    lines += R"({"text":")" + text + R"("})" + "\n";
  }
  return lines;
}

PretrainSpec quick_pretrain() {
  PretrainSpec spec;
  spec.kind = spec.name = "pretrain";
  spec.training.steps = 60;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

}  // namespace

TEST_CASE("stages: pretrain learns the alphabet, in either packing and precision") {
  for (const TextPacking packing : {TextPacking::documents, TextPacking::stream}) {
    for (const kernels::Compute compute : {kernels::Compute::float32, kernels::Compute::bfloat16}) {
      CAPTURE(static_cast<int>(packing));
      CAPTURE(static_cast<int>(compute));
      TinyRun tiny(compute);
      tiny.add_data("letters", "letters.jsonl", alphabet_rows(60), 0.2);
      PretrainSpec spec = quick_pretrain();
      spec.source.data = "letters";
      spec.packing = packing;
      const StageSummary summary = spec.run(tiny.run);
      REQUIRE(summary.held_out.size() == 1);
      CHECK(*summary.held_out[0].before > 4.5);
      CHECK(*summary.held_out[0].after < 1.6);  // knowing letters alone is worth 3.3
      CHECK(summary.tokens > 0);
      CHECK(tiny.series("eval/perplexity").back() ==
            doctest::Approx(std::exp(tiny.series("eval/loss").back())).epsilon(1e-9));
    }
  }
}

TEST_CASE("stages: the same seed gives the same weights, bit for bit") {
  const auto weights_after = [](std::uint64_t seed) {
    TinyRun tiny(kernels::Compute::float32, seed);
    tiny.add_data("letters", "letters.jsonl", alphabet_rows(30));
    PretrainSpec spec = quick_pretrain();
    spec.source.data = "letters";
    spec.training.steps = 5;
    spec.training.dropout = 0.1;
    spec.run(tiny.run);
    return tiny.weights();
  };
  CHECK(at::equal(weights_after(3), weights_after(3)));
  CHECK(!at::equal(weights_after(3), weights_after(4)));
}

TEST_CASE("stages: pretrain learns an environment's demonstrations") {
  TinyRun tiny;
  PretrainSpec spec = quick_pretrain();
  spec.source.environment = std::make_unique<FirstLetterSpec>();
  spec.source.rows = 20;
  spec.training.steps.reset();
  spec.training.epochs = 3;
  spec.training.batch_size = 10;
  spec.evaluation.interval.epochs = 1;
  const StageSummary summary = spec.run(tiny.run);
  CHECK(tiny.series("loss").size() == 6);
  CHECK(tiny.series("eval/loss").size() == 4);
  CHECK(*summary.held_out.at(0).after < *summary.held_out.at(0).before);
}

TEST_CASE("stages: an environment without demonstrations cannot be learned from by supervision") {
  TinyRun tiny;
  PretrainSpec spec = quick_pretrain();
  spec.source.environment = std::make_unique<FirstLetterSpec>(false);
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "first_letter", "no demonstration");
}

TEST_CASE("stages: a data set that the file lacks is an error that lists those it has") {
  TinyRun tiny;
  tiny.add_data("letters", "letters.jsonl", alphabet_rows(3));
  PretrainSpec spec = quick_pretrain();
  spec.source.data = "leters";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "leters", "letters");
}

TEST_CASE("stages: without held-out rows nothing is evaluated, and the stage says so") {
  TinyRun tiny;
  tiny.add_data("letters", "letters.jsonl", alphabet_rows(10));
  PretrainSpec spec = quick_pretrain();
  spec.source.data = "letters";
  spec.training.steps = 2;
  const StageSummary summary = spec.run(tiny.run);
  CHECK(summary.held_out.empty());
  CHECK(tiny.text.find("no rows are held out") != std::string::npos);
}
