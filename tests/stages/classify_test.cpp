#include "stages/classify.h"

#include <functional>

#include "policies/checkpoint.h"
#include "stages/labelled_rows.h"
#include "stages/pretrain.h"
#include "stages/tiny_run.h"
#include "text/chat_format.h"

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

TEST_CASE("stages: classify reads rows anew in each epoch, and a run that goes on reads the same") {
  const auto add_rows = [](TinyRun& tiny, bool each_epoch) {
    std::string lines;
    for (std::uint64_t i = 0; i < 24; ++i) {
      std::string text;
      for (const char c : text_of_class(i, i % 3)) text += std::string(text.empty() ? "" : " ") + c;
      lines += R"({"text":")" + text + R"(","label":")" + names[i % 3] + "\"}\n";
    }
    tiny.add_data("rows", "rows.jsonl", lines);
    tiny.run.data["rows"].preparation.augment = {.copies = 2, .each_epoch = each_epoch, .deletion = 0.5};
    if (!each_epoch) tiny.run.data["rows"].preparation.augment = {};
  };
  ClassifySpec still = quick_classify();  // learns nothing: the loss changes with the rows alone
  still.training.steps = 4;
  still.training.batch_size = 24;
  still.training.optimizer.learning_rate = 0;
  const auto losses = [&](bool each_epoch) {
    TinyRun tiny;
    add_rows(tiny, each_epoch);
    still.run(tiny.run);
    return tiny.series("loss");
  };
  const std::vector<double> same = losses(false), anew = losses(true);
  for (std::size_t step = 1; step < 4; ++step) {
    CHECK(same[step] == doctest::Approx(same[0]).epsilon(1e-6));
    CHECK(std::abs(anew[step] - anew[step - 1]) > 1e-4);
  }
  CHECK(anew == losses(true));

  ClassifySpec spec = quick_classify();
  spec.training.steps = 6;
  spec.training.batch_size = 10;  // steps reach over the ends of epochs
  spec.training.checkpoint_every = 3;
  TinyRun whole, second;
  for (TinyRun* tiny : {&whole, &second}) add_rows(*tiny, true);
  spec.run(whole.run);
  second.run.catalogs = &policy_table();
  const std::filesystem::path place = second.run.checkpoint_directory("judge") / "step_3";
  std::filesystem::create_directories(place.parent_path());
  std::filesystem::copy(whole.run.checkpoint_directory("judge") / "step_3", place, std::filesystem::copy_options::recursive);
  const std::vector<std::string> stages{"judge"};
  second.run.resume_point = find_resume_point(second.run.directory, stages);
  REQUIRE(second.run.resume_point);
  second.run.restore_model(place);
  spec.run(second.run);
  CHECK(at::equal(whole.weights(), second.weights()));
}

TEST_CASE("stages: a stage that reads its rows once refuses to alter them in each epoch") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", "{\"text\":\"a b c\"}\n{\"text\":\"b c d\"}\n");
  tiny.run.data["rows"].preparation.augment = {.copies = 1, .each_epoch = true, .swap = 0.5};
  PretrainSpec spec;
  spec.kind = spec.name = "pretrain";
  spec.source.data = "rows";
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "data.rows.augment.each_epoch", "classify, contrastive and mlm");
}

TEST_CASE("stages: conversations are told apart as the chat template writes them") {
  TinyRun tiny;
  tiny.run.tokenizer->set_chat(ChatFormat::given(
      "{% for m in messages %}{{ m.role[0] }}{{ m.content }}{% endfor %}{% if add_generation_prompt %}a{% endif %}"));
  std::string lines;
  for (std::uint64_t i = 0; i < 160; ++i) {
    lines += R"({"messages":[{"role":"user","content":")" + text_of_class(i, i % 2) +
             R"("},{"role":"assistant","content":"ok"}],"label":")" + names[i % 2] + "\"}\n";
  }
  tiny.add_data("rows", "rows.jsonl", lines, 0.3);
  CHECK(*quick_classify().run(tiny.run).held_out[0].after >= 0.95);
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

TEST_CASE("stages: several labels at once and numbers are learned, and the head says which") {
  TinyRun tiny;
  std::string labels, numbers;
  for (std::uint64_t i = 0; i < 240; ++i) {
    const std::string a = text_of_class(i, 0), x = text_of_class(i, 1);
    const std::string text = i % 4 == 0 ? a : i % 4 == 1 ? x : i % 4 == 2 ? a + x : text_of_class(i, 2);
    const std::string named = i % 4 == 0 ? "\"a\"" : i % 4 == 1 ? "\"x\"" : i % 4 == 2 ? "\"x\",\"a\"" : "";
    labels += "{\"text\":\"" + text + "\",\"labels\":[" + named + "]}\n";
    numbers += "{\"text\":\"" + text + "\",\"value\":" + std::to_string(static_cast<double>(i % 4)) + "}\n";
  }
  tiny.add_data("rows", "labels.jsonl", labels, 0.3);
  ClassifySpec spec = quick_classify();
  spec.training.steps = 60;
  CHECK(spec.run(tiny.run).held_out[0].metric == "F1 (over all labels)");
  CHECK(tiny.series("eval/f1_micro").back() >= 0.9);
  CHECK(tiny.series("eval/f1/a").back() >= 0.8);
  CHECK(tiny.run.model->plan.problem_type == "multi_label_classification");
  CHECK(tiny.run.model->plan.labels == std::vector<std::string>{"a", "x"});

  TinyRun rated;
  rated.add_data("rows", "numbers.jsonl", numbers, 0.3);
  spec.training.steps = 80;
  spec.run(rated.run);
  CHECK(rated.series("eval/spearman").back() >= 0.8);
  CHECK(rated.series("eval/loss").back() < rated.series("eval/loss").front());
  CHECK(rated.series("eval/r2").back() > 0.5);
  CHECK(rated.run.model->plan.problem_type == "regression");
  CHECK(rated.run.model->score->outputs() == 1);
}

TEST_CASE("stages: the loss of the first step counts classes by their weights") {
  const auto first_loss = [](const std::function<void(ClassifySpec&)>& change) {
    TinyRun tiny;
    tiny.add_data("rows", "rows.jsonl", labelled_rows(30, 3, names));
    ClassifySpec spec = quick_classify();
    spec.training.steps = 1;
    spec.training.batch_size = 30;
    change(spec);
    spec.run(tiny.run);
    return tiny.series("loss").at(0);
  };
  const double plain = first_loss([](ClassifySpec&) {});
  const auto only = [&](const std::string& name) {
    return first_loss([&](ClassifySpec& spec) {
      for (const char* other : names) spec.class_weights.emplace_back(other, name == other ? 1 : 0);
    });
  };
  CHECK((only("first") + only("second") + only("third")) / 3 == doctest::Approx(plain).epsilon(1e-6));
  CHECK(first_loss([](ClassifySpec& spec) { spec.balanced = true; }) == doctest::Approx(plain).epsilon(1e-6));
  CHECK(first_loss([](ClassifySpec& spec) { spec.label_smoothing = 0.2; }) != doctest::Approx(plain).epsilon(1e-6));
}

TEST_CASE("stages: a classifier goes on with the order of classes that its head has") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", labelled_rows(60, 2, names));
  tiny.run.use_heads({.lm = false, .scores = 2, .score_kind = HeadKind::classes, .labels = {"second", "first"}});
  const at::Tensor before = tiny.weights();
  ClassifySpec spec = quick_classify();
  spec.training.steps = 1;
  spec.training.optimizer.learning_rate = 0;
  spec.run(tiny.run);
  CHECK(at::equal(before, tiny.weights()));
  CHECK(tiny.run.model->plan.labels == std::vector<std::string>{"second", "first"});
}

TEST_CASE("stages: what does not fit a classifier is refused before a step is taken") {
  TinyRun tiny;
  tiny.add_data("rows", "rows.jsonl", labelled_rows(20, 2, names));
  tiny.add_data("rated", "rated.jsonl", "{\"text\":\"a\",\"value\":1}\n{\"text\":\"b\",\"value\":2}\n");
  ClassifySpec spec = quick_classify();
  spec.class_weights = {{"frist", 2.0}};
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "stages.judge.class_weights", "'frist'", "first");
  spec.class_weights = {{"first", -1.0}};
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "class_weights.first", "negative");
  spec = quick_classify();
  spec.problem_type = ProblemChoice::multi_label;
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "data.rows", "`labels`");
  spec = quick_classify();
  spec.data = "rated";
  spec.balanced = true;
  HONE_CHECK_ERROR(config, spec.run(tiny.run), "stages.judge", "numbers");
  spec = quick_classify();
  spec.length = {.max_tokens = 5, .overlong = Overlong::error};
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "rows.jsonl:", "at most 5");
  DataConfig other;
  other.path = tiny.scratch.file("train.jsonl", labelled_rows(20, 2, names)).string();
  other.held_out_path = tiny.scratch.file("test.jsonl", labelled_rows(3, 3, names)).string();
  tiny.run.data["split"] = other;
  spec = quick_classify();
  spec.data = "split";
  HONE_CHECK_ERROR(data, spec.run(tiny.run), "test.jsonl:3", "'third'");
  CHECK(tiny.series("loss").empty());
}
