#include "stages/classify.h"

#include "stages/labelled_rows.h"
#include "stages/tiny_run.h"

using namespace hone;
using namespace hone::test;

namespace {

constexpr const char* names[] = {"first", "second", "third"};

ClassifySpec quick_classify() {
  ClassifySpec spec;
  spec.kind = spec.name = "judge";
  spec.data = "rows";
  spec.training.steps = 40;
  spec.training.batch_size = 16;
  spec.training.optimizer.learning_rate = 1e-2;
  return spec;
}

}  // namespace

TEST_CASE("stages: classify learns three classes and keeps their names") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", labelled_rows(240, 3, names), 0.3);
  const StageSummary summary = quick_classify().run(tiny.run);
  REQUIRE(summary.held_out.size() == 1);
  CHECK(summary.held_out[0].metric == "accuracy");
  CHECK(*summary.held_out[0].after >= 0.95);
  for (const char* metric : {"eval/precision", "eval/recall", "eval/f1"}) CHECK(tiny.series(metric).back() >= 0.9);
  REQUIRE(tiny.run.model->score.has_value());
  CHECK(tiny.run.model->score->outputs() == 3);
  CHECK(tiny.run.model->score->kind() == HeadKind::classes);
  const LabelSet labels = LabelSet::from_json(
      Json::parse(contents_of(tiny.run.checkpoint_directory("judge") / "labels.json"), "labels.json"), "labels.json");
  CHECK(labels.names() == std::vector<std::string>{"first", "second", "third"});
}

TEST_CASE("stages: one class is nothing to tell apart") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", labelled_rows(10, 1, names));
  HONE_CHECK_ERROR(data, quick_classify().run(tiny.run), "data.rows", "at least two classes", "first");
}

TEST_CASE("stages: rows without labels cannot be classified") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", "{\"text\":\"abc\"}\n");
  HONE_CHECK_ERROR(data, quick_classify().run(tiny.run), "data.rows", "label");
}

TEST_CASE("stages: a classifier's step does not depend on how its batch is cut into passes") {
  const auto first_step = [](std::int64_t tokens_per_pass) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", labelled_rows(64, 3, names));
    ClassifySpec spec = quick_classify();
    spec.training.steps = 1;
    spec.training.tokens_per_pass = tokens_per_pass;
    spec.run(tiny.run);
    return std::pair(tiny.series("loss").at(0), tiny.series("grad_norm").at(0));
  };
  const auto [loss, norm] = first_step(8192);
  const auto [cut_loss, cut_norm] = first_step(25);
  CHECK(cut_loss == doctest::Approx(loss).epsilon(1e-6));
  CHECK(cut_norm == doctest::Approx(norm).epsilon(1e-6));
}
