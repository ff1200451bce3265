#include "report/record/run_record.h"

#include <doctest/doctest.h>

#include <cmath>

#include "io/lock_file.h"
#include "report/samples_jsonl.h"
#include "tests/support/scratch.h"

namespace hone {

namespace {

constexpr const char* config =
    "run:\n  name: first\nmodel:\n    name: not a stage\nstages:\n  - kind: sft\n    name: sft\n  - kind: ppo\n    "
    "name: \"on\"\n"
    "    critic:\n      name: nor this\n";

SampleRow sample(std::int64_t step, const std::string& split, const std::string& prompt) {
  return {.stage = "ppo",
          .step = step,
          .split = split,
          .prompt = prompt,
          .completion = "4",
          .finish = "stop",
          .status = "ok",
          .note = "",
          .reward = 1,
          .parts = {{"exact_match", 1.0}},
          .tokens = {"4", "<eos>"},
          .logprobs = {-0.5F, -0.25F},
          .advantages = split == "train" ? std::vector<float>{0.5F, 0.5F} : std::vector<float>{}};
}

bool has_note(const RunRecord& run, std::string_view part) {
  for (const std::string& note : run.notes) {
    if (note.find(part) != note.npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("report: a run directory with nothing in it is read, with notes") {
  const test::Scratch scratch;
  const RunRecord run = read_run(scratch.path());
  CHECK(run.name == scratch.path().filename().string());
  CHECK(run.stages.empty());
  CHECK_FALSE(run.finished());
  CHECK(run.notes.size() == 4);
  CHECK(has_note(run, "metrics.jsonl: there is no such file"));
  CHECK(read_run(scratch.path() / "nowhere").notes.size() == 4);
}

TEST_CASE("report: stages come from the configuration, their series from the rows") {
  const test::Scratch scratch;
  scratch.file("config.yaml", config);
  scratch.file(
      "metrics.jsonl",
      "{\"stage\":\"sft\",\"step\":0,\"seconds\":0.5,\"eval/loss\":4.0}\n"
      "{\"stage\":\"sft\",\"step\":1,\"seconds\":1.0,\"loss\":3.0,\"tokens_per_second\":100.0}\n"
      "{\"stage\":\"sft\",\"step\":2,\"seconds\":1.5,\"loss\":null,\"tokens_per_second\":300.0,\"who\":\"text\"}\n"
      "{\"stage\":\"sft\",\"step\":2,\"seconds\":2.0,\"eval/loss\":2.0}\n"
      "{\"stage\":\"extra\",\"step\":1,\"seconds\":1.0,\"loss\":1.0}\n");
  const RunRecord run = read_run(scratch.path());
  REQUIRE(run.stages.size() == 3);
  CHECK(run.stages[0].name == "sft");
  CHECK(run.stages[1].name == "on");
  CHECK(run.stages[2].name == "extra");
  const StageRecord& sft = run.stages[0];
  CHECK(sft.steps == 2);
  CHECK(sft.seconds == 2.0);
  CHECK(sft.find("eval/loss")->points == std::vector<MetricPoint>{{0, 4.0}, {2, 2.0}});
  CHECK(std::isnan(sft.find("loss")->points.at(1).value));
  CHECK(sft.find("who") == nullptr);
  const std::vector<StageSummary> table = summaries_of(run);
  REQUIRE(table[0].held_out.size() == 1);
  CHECK(table[0].held_out[0].metric == "loss");
  CHECK(table[0].held_out[0].before == 4.0);
  CHECK(table[0].held_out[0].after == 2.0);
  CHECK(table[0].tokens == 600);
  CHECK(table[1].held_out.empty());
}

TEST_CASE("report: a stage is finished when its last checkpoint is there") {
  const test::Scratch scratch;
  scratch.file("config.yaml", config);
  std::filesystem::create_directories(scratch.path() / "checkpoints" / "sft" / "final");
  std::filesystem::create_directories(scratch.path() / "checkpoints" / "on" / "step_20");
  RunRecord run = read_run(scratch.path());
  CHECK(run.stages[0].finished);
  CHECK_FALSE(run.stages[1].finished);
  CHECK_FALSE(run.finished());
  std::filesystem::create_directories(scratch.path() / "checkpoints" / "on" / "final");
  CHECK(read_run(scratch.path()).finished());
}

TEST_CASE("report: a run is running while a process holds its lock") {
  const test::Scratch scratch;
  CHECK_FALSE(read_run(scratch.path()).running);
  {
    const LockFile lock(scratch.path() / "lock");
    CHECK(read_run(scratch.path()).running);
  }
  CHECK_FALSE(read_run(scratch.path()).running);
}

TEST_CASE("report: before and after need an evaluation on either side of training") {
  const test::Scratch scratch;
  scratch.file(
      "metrics.jsonl",
      "{\"stage\":\"ppo\",\"step\":0,\"seconds\":0,\"eval/reward\":0.5,\"eval/a/mean\":0.25,\"eval/b/mean\":0.25}\n"
      "{\"stage\":\"ppo\",\"step\":1,\"seconds\":1,\"reward\":0.6}\n"
      "{\"stage\":\"late\",\"step\":5,\"seconds\":1,\"eval/accuracy\":0.75}\n"
      "{\"stage\":\"eval\",\"step\":0,\"seconds\":0,\"eval/reward\":0.9,\"eval_sampled/reward\":0.8}\n");
  const std::vector<StageSummary> table = summaries_of(read_run(scratch.path()));
  REQUIRE(table.size() == 3);
  REQUIRE(table[0].held_out.size() == 3);
  CHECK(table[0].held_out[0].metric == "reward (greedy)");
  CHECK(table[0].held_out[0].before == 0.5);
  CHECK_FALSE(table[0].held_out[0].after.has_value());
  CHECK(table[0].held_out[2].metric == "b (greedy)");
  CHECK_FALSE(table[1].held_out.at(0).before.has_value());
  CHECK(table[1].held_out.at(0).after == 0.75);
  CHECK_FALSE(table[2].held_out.at(0).before.has_value());
  CHECK(table[2].held_out.at(0).after == 0.9);
  CHECK(table[2].held_out.at(1).metric == "reward (sampled)");
}

TEST_CASE("report: broken lines are counted, a cut-off end is told, the rest is read") {
  const test::Scratch scratch;
  scratch.file("metrics.jsonl",
               "{\"stage\":\"ppo\",\"step\":1,\"seconds\":1,\"loss\":1.0}\nnot json\n[1]\n\n{\"stage\":7,\"step\":1}\n"
               "{\"step\":1}\n{\"stage\":\"ppo\",\"step\":2,\"seconds\":2,\"loss\":2.0}\n{\"stage\":\"ppo\",\"ste");
  const RunRecord run = read_run(scratch.path());
  CHECK(run.stages.at(0).find("loss")->points.size() == 2);
  CHECK(has_note(run, "metrics.jsonl: 4 lines could not be used; the first is line 2"));
  CHECK(has_note(run, "metrics.jsonl: the last line is cut off"));
}

TEST_CASE("report: steps written again replace the old ones, and a clock that begins anew goes on") {
  const test::Scratch scratch;
  scratch.file("metrics.jsonl",
               "{\"stage\":\"ppo\",\"step\":1,\"seconds\":10,\"loss\":1.0}\n{\"stage\":\"ppo\",\"step\":2,\"seconds\":"
               "20,\"loss\":2.0}\n"
               "{\"stage\":\"ppo\",\"step\":3,\"seconds\":30,\"loss\":3.0}\n{\"stage\":\"ppo\",\"step\":2,\"seconds\":"
               "5,\"loss\":7.0}\n");
  const RunRecord run = read_run(scratch.path());
  CHECK(run.stages.at(0).find("loss")->points == std::vector<MetricPoint>{{1, 1.0}, {2, 7.0}});
  CHECK(run.stages[0].seconds == 35);
}

TEST_CASE("report: samples of the first and the last evaluation and of the last steps are kept") {
  const test::Scratch scratch;
  {
    SamplesJsonl sink(scratch.path() / "samples.jsonl");
    for (const std::int64_t step : {0, 10, 20}) {
      for (const char* prompt : {"1+1=", "2+2="}) sink.sample(sample(step, "held_out", prompt));
    }
    for (std::int64_t step = 1; step <= 20; ++step) sink.sample(sample(step, "train", "3+1="));
  }
  const RunRecord run = read_run(scratch.path());
  const StageRecord& ppo = run.stages.at(0);
  REQUIRE(ppo.first_held_out.size() == 2);
  CHECK(ppo.first_held_out[0].step == 0);
  REQUIRE(ppo.last_held_out.size() == 2);
  CHECK(ppo.last_held_out[1].step == 20);
  CHECK(ppo.last_held_out[1].prompt == "2+2=");
  REQUIRE(ppo.recent.size() == 4);
  CHECK(ppo.recent.front().step == 17);
  CHECK(ppo.recent.back().advantages == std::vector<float>{0.5F, 0.5F});
  CHECK(ppo.recent.back().tokens == std::vector<std::string>{"4", "<eos>"});
  CHECK(ppo.recent.back().parts == MetricValues{{"exact_match", 1.0}});
}

TEST_CASE("report: an odd environment record is a note") {
  const test::Scratch scratch;
  scratch.file("environment.json", "{\"cpu\": ");
  std::filesystem::create_directory(scratch.path() / "metrics.jsonl");
  const RunRecord run = read_run(scratch.path());
  CHECK(run.environment.is_null());
  CHECK(has_note(run, "environment.json"));
  CHECK(has_note(run, "metrics.jsonl: there is no such file"));
}

}  // namespace hone
