// The gradient that a stage accumulates must not depend on how its batch is computed: one row, four rows or all of them
// at once. A step of plain gradient descent with a large rate shows the gradient as the difference of the weights.
#include "stages/classify.h"
#include "stages/dpo.h"
#include "stages/labelled_rows.h"
#include "stages/pretrain.h"
#include "stages/reward_model.h"
#include "stages/sft.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr std::int64_t kRows = 16;
constexpr double kRate = 1e4;
constexpr const char* kNames[] = {"first", "second", "third"};

std::string texts() {
  std::string lines;
  for (std::uint64_t i = 0; i < kRows; ++i) lines += R"({"text":")" + text_of_class(i, i % 3) + "\"}\n";
  return lines;
}

std::string answers() {
  std::string lines;
  for (std::uint64_t i = 0; i < kRows; ++i) {
    lines += R"({"prompt":")" + text_of_class(i, 0) + R"(","completion":")" + text_of_class(i + 1, 1) + "\"}\n";
  }
  return lines;
}

std::string pairs() {
  std::string lines;
  for (std::uint64_t i = 0; i < kRows; ++i) {
    lines += R"({"prompt":")" + text_of_class(i, 0) + R"(","chosen":")" + text_of_class(i + 1, 1) + R"(","rejected":")" +
             text_of_class(i + 2, 2) + "\"}\n";
  }
  return lines;
}

/// Compares the gradients of a stage's first step over these lines. Heads that it adds are drawn from the seed: a step
/// of rate 0 tells what they were.
template <class Make>
void check_invariance(const std::string& lines, const Make& make) {
  const auto weights = [&](double rate, std::int64_t tokens_per_pass) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", lines);
    auto spec = make();
    spec.kind = spec.name = "stage";
    spec.training.steps = 1;
    spec.training.batch_size = kRows;
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.training.optimizer = {.rule = RuleKind::sgd, .learning_rate = rate, .max_grad_norm = 0};
    spec.run(tiny.run);
    return tiny.weights().to(at::kDouble);
  };
  const at::Tensor before = weights(0, 1'000'000);
  const at::Tensor whole = (weights(kRate, 1'000'000) - before) / kRate;
  REQUIRE(whole.norm().item<double>() > 1e-3);
  for (const std::int64_t tokens_per_pass : {1, 48, 200}) {
    CAPTURE(tokens_per_pass);
    const at::Tensor parts = (weights(kRate, tokens_per_pass) - before) / kRate;
    CHECK(((parts - whole).norm() / whole.norm()).item<double>() <= 1e-6);
  }
}

}  // namespace

TEST_CASE("stages: pretrain, by documents or as a stream, accumulates the same gradient in any passes") {
  for (const TextPacking packing : {TextPacking::documents, TextPacking::stream}) {
    check_invariance(texts(), [&] {
      PretrainSpec spec;
      spec.source.data = "rows";
      spec.packing = packing;
      return spec;
    });
  }
}

TEST_CASE("stages: sft accumulates the same gradient in any passes") {
  check_invariance(answers(), [] {
    SftSpec spec;
    spec.source.data = "rows";
    return spec;
  });
}

TEST_CASE("stages: sft with smoothed labels and noisy embeddings accumulates the same gradient in any passes") {
  check_invariance(answers(), [] {
    SftSpec spec;
    spec.source.data = "rows";
    spec.regularization = {.label_smoothing = 0.1, .neftune_alpha = 5};
    return spec;
  });
}

TEST_CASE("stages: classify accumulates the same gradient in any passes") {
  check_invariance(labelled_rows(kRows, 3, kNames), [] {
    ClassifySpec spec;
    spec.data = "rows";
    return spec;
  });
}

TEST_CASE("stages: reward models accumulate the same gradient in any passes, of pairs and of labels") {
  for (const bool labels : {false, true}) {
    check_invariance(labels ? labelled_rows(kRows, 2, kNames) : pairs(), [] {
      RewardModelSpec spec;
      spec.data = "rows";
      return spec;
    });
  }
}

TEST_CASE("stages: dpo accumulates the same gradient in any passes") {
  check_invariance(pairs(), [] {
    DpoSpec spec;
    spec.data = "rows";
    return spec;
  });
}
