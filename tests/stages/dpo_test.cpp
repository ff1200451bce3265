#include "stages/dpo.h"

#include <algorithm>
#include <cmath>

#include "stages/kto.h"
#include "stages/model_directory.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

/// After "q…" the letter "a" is a better answer than "b".
std::string pairs(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const std::string prompt(1 + static_cast<std::size_t>(i) % 5, 'q');
    const std::string tail(static_cast<std::size_t>(i) % 3, 'z');
    lines += R"({"prompt":")" + prompt + std::to_string(i) + R"(","chosen":"a)" + tail + R"(","rejected":"b"})" + "\n";
  }
  return lines;
}

template <class Spec>
Spec quick(std::int64_t steps) {
  Spec spec;
  spec.kind = spec.name = "stage";
  spec.data = "rows";
  spec.training.steps = steps;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 3e-3;
  return spec;
}

template <class Spec>
void check_learns() {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs(60), 0.25);
  const StageSummary summary = quick<Spec>(30).run(tiny.run);
  CHECK(summary.held_out.at(0).metric == "accuracy (pairs)");
  CHECK(*summary.held_out[0].after >= 0.95);
  CHECK(tiny.series("eval/loss").back() < tiny.series("eval/loss").front());
  CHECK(tiny.series("eval/rewards/margins").back() > tiny.series("eval/rewards/margins").front());
}

/// Saves a model of the run's shape with other weights.
std::string other_model(TinyRun& tiny, std::uint64_t seed) {
  Model other(*tiny.run.policy, HeadPlan{}, tiny.run.compute, false);
  other.store.initialize(seed);
  other.store.refresh();
  const std::filesystem::path place = tiny.scratch.path() / "other";
  save_model_directory(other, *tiny.run.tokenizer, place);
  return place.string();
}

}  // namespace

TEST_CASE("stages: dpo, orpo, simpo and cpo learn which answers are better") {
  check_learns<DpoSpec>();
  check_learns<OrpoSpec>();
  check_learns<SimpoSpec>();
  check_learns<CpoSpec>();
}

TEST_CASE("stages: dpo begins at log 2, where the policy is its own reference") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs(20));
  quick<DpoSpec>(1).run(tiny.run);
  CHECK(tiny.series("loss").at(0) == doctest::Approx(std::log(2)).epsilon(1e-7));
  CHECK(tiny.series("rewards/accuracies").at(0) <= 1);
  CHECK(std::abs(tiny.series("rewards/margins").at(0)) < 1e-6);
  CHECK(tiny.series("logps/chosen").at(0) < 0);
  CHECK(tiny.series("nll_loss").empty());
}

TEST_CASE("stages: pairs compared by their likelihood do not depend on how the batch is cut") {
  const auto first_step = [](std::int64_t tokens_per_pass) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", pairs(40));
    DpoSpec spec = quick<DpoSpec>(2);
    spec.options = {.loss = PreferenceLoss::sigmoid_norm, .nll_weight = 0.5};
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.run(tiny.run);
    return std::vector{tiny.series("loss").at(1), tiny.series("grad_norm").at(1), tiny.series("rewards/margins").at(1),
                       tiny.series("nll_loss").at(1)};
  };
  const auto whole = first_step(8192), cut = first_step(1);
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(cut[i] == doctest::Approx(whole[i]).epsilon(1e-6));
}

TEST_CASE("stages: dpo may be held to another model, whose token ids must mean the same") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", pairs(20));
  Catalogs catalogs;
  catalogs.add<PolicySpec>({"policy", {{"llama", "", [] { return std::unique_ptr<Component>(new LlamaSpec); }}}});
  tiny.run.catalogs = &catalogs;
  DpoSpec spec = quick<DpoSpec>(1);
  spec.reference = other_model(tiny, 99);
  spec.run(tiny.run);
  CHECK(std::abs(tiny.series("loss").at(0) - std::log(2)) > 1e-4);
  spec.reference = "nowhere";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "'nowhere'", "neither an earlier stage");
}

TEST_CASE("stages: pairs that tell nothing are refused with their place") {
  const auto run_with = [](const std::string& row) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", pairs(3) + row);
    quick<DpoSpec>(1).run(tiny.run);
  };
  HONE_CHECK_ERROR(data, run_with(R"({"prompt":"q","chosen":"a","rejected":"a"})"), "rows.jsonl:4", "the same");
  HONE_CHECK_ERROR(data, run_with(R"({"prompt":"q","chosen":"a","rejected":""})"), "rows.jsonl:4", "`rejected` is empty");
  HONE_CHECK_ERROR(data, run_with(R"({"prompt":"q","chosen":"a"})"), "rows.jsonl", "rejected");
}

TEST_CASE("stages: kto learns from single answers which are good") {
  std::string lines;
  for (int i = 0; i < 80; ++i) {
    const bool good = i % 2 == 0;
    lines += R"({"prompt":"q)" + std::to_string(i) + R"(","completion":")" + (good ? "a" : "b") + R"(","label":)" +
             (good ? "true" : "false") + "}\n";
  }
  const auto curve = [&](std::int64_t tokens_per_pass) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", lines, 0.2);
    KtoSpec spec = quick<KtoSpec>(20);
    spec.training.tokens_per_pass = tokens_per_pass;
    const StageSummary summary = spec.run(tiny.run);
    CHECK(tiny.series("loss").at(0) == doctest::Approx(0.5).epsilon(1e-6));
    CHECK(tiny.series("kl").at(0) < 1e-5);
    CHECK(tiny.series("eval/rewards/margins").back() > 0.1);
    CHECK(tiny.series("eval/loss").back() < tiny.series("eval/loss").front());
    return tiny.series("loss").at(5);
  };
  CHECK(curve(1) == doctest::Approx(curve(8192)).epsilon(1e-5));
}

TEST_CASE("stages: kto refuses answers of one kind, a third label and empty answers") {
  const auto run_with = [](const std::string& rows) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", rows);
    quick<KtoSpec>(1).run(tiny.run);
  };
  const std::string good = R"({"prompt":"q","completion":"a","label":true})"
                           "\n";
  const std::string bad = R"({"prompt":"q","completion":"b","label":false})"
                          "\n";
  HONE_CHECK_ERROR(data, run_with(good + good), "every answer is good", "positive");
  HONE_CHECK_ERROR(data, run_with(bad + bad), "every answer is bad");
  HONE_CHECK_ERROR(data, run_with(good + bad + R"({"prompt":"q","completion":"c","label":"maybe"})"), "rows.jsonl:3",
                   "'maybe'", "'true'", "'false'");
  HONE_CHECK_ERROR(data, run_with(good + bad + R"({"prompt":"q","completion":"","label":true})"), "rows.jsonl:3",
                   "the answer is empty");
}
