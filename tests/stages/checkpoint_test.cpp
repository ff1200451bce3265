#include "stages/checkpoint.h"

#include "io/atomic_directory.h"
#include "io/file.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include "support/doctest_torch.h"

using namespace hone;
using namespace hone::test;

namespace {

namespace fs = std::filesystem;

/// A run directory with the stages a and b.
struct Checkpoints {
  Scratch scratch;
  const std::vector<std::string> stages = {"a", "b"};

  fs::path place(const std::string& name) const { return scratch.path() / "checkpoints" / name; }

  void add(const std::string& stage, std::int64_t step, bool finished = false) {
    const fs::path where = place(stage) / (finished ? "final" : "step_" + std::to_string(step));
    fs::create_directories(where.parent_path());
    AtomicDirectory directory(where);
    write_file_atomic(directory.path() / "model.safetensors", "weights");
    CheckpointRecord{.stage = stage, .step = step, .finished = finished, .machine = Json::object(), .values = Json::object()}
        .write(directory.path());
    directory.commit();
  }
  void damage(const std::string& name) { write_file_atomic(place(name) / "model.safetensors", "w8ights"); }
  std::optional<ResumePoint> find() const { return find_resume_point(scratch.path(), stages); }
};

}  // namespace

TEST_CASE("stages: a run goes on from the newest checkpoint that verifies") {
  Checkpoints run;
  CHECK(!run.find());
  run.add("initial", 0, true);
  CHECK(run.find()->stage == 0);
  CHECK(!run.find()->mid_stage());
  run.add("a", 9);
  run.add("a", 10);
  CHECK(run.find()->place == run.place("a/step_10"));
  CHECK(run.find()->mid_stage());
  run.add("a", 0, true);
  CHECK(run.find()->stage == 1);
  run.add("b", 2);
  run.add("b", 4);
  CHECK(run.find()->record.step == 4);
  CHECK(run.find()->rejected.empty());
  run.damage("b/step_4");
  CHECK(run.find()->record.step == 2);
  REQUIRE(run.find()->rejected.size() == 1);
  CHECK(run.find()->rejected[0].starts_with("checkpoints/b/step_4: model.safetensors: checksum"));
  run.damage("b/step_2");
  CHECK(run.find()->place == run.place("a/final"));
  fs::remove(run.place("a/final/manifest.json"));
  CHECK(run.find()->place == run.place("a/step_10"));
  CHECK(run.find()->stage == 0);
  CHECK(run.find()->rejected.size() == 3);
  run.add("b", 0, true);
  CHECK(run.find()->stage == 2);
}

TEST_CASE("stages: a checkpoint of a newer format is refused, not passed over") {
  Checkpoints run;
  run.add("initial", 0, true);
  run.add("a", 3);
  const fs::path file = run.place("a/step_3/trainer.json");
  Json record = Json::parse(read_file(file), "trainer.json");
  record.set("version", 2);
  write_file_atomic(file, record.dump());
  HONE_CHECK_ERROR(data, run.find(), "a/step_3/trainer.json", "format version 2", "newer hone", "update hone");
}

TEST_CASE("stages: rotation keeps the newest that verify, whatever lies between") {
  Checkpoints run;
  for (int step = 1; step <= 5; ++step) run.add("a", step);
  run.damage("a/step_5");
  rotate_checkpoints(run.place("a"), 2);
  CHECK(fs::exists(run.place("a/step_5")));
  CHECK(fs::exists(run.place("a/step_4")));
  CHECK(fs::exists(run.place("a/step_3")));
  CHECK(!fs::exists(run.place("a/step_2")));
  CHECK(!fs::exists(run.place("a/step_1")));
  for (const char* step : {"a/step_3", "a/step_4"}) run.damage(step);
  rotate_checkpoints(run.place("a"), 1);
  CHECK(fs::exists(run.place("a/step_3")));  // none verifies: nothing is deleted
}

TEST_CASE("stages: a record says what it was told") {
  const Scratch scratch;
  CheckpointRecord record{.stage = "ppo", .step = 12, .updates = 99, .files = {{"metrics.jsonl", 1234}}};
  record.stages = {{.stage = "sft", .held_out = {{"loss", 2.5, 0.5}}, .seconds = 3.5, .tokens = 10}};
  record.machine = machine_record(true);
  record.values = Json::Object{{"iteration", 12}};
  record.write(scratch.path());
  const CheckpointRecord read = CheckpointRecord::read(scratch.path());
  CHECK(read.stage == "ppo");
  CHECK(read.step == 12);
  CHECK(!read.finished);
  CHECK(read.updates == 99);
  REQUIRE(read.files.size() == 1);
  CHECK(read.files[0].bytes == 1234);
  REQUIRE(read.stages.size() == 1);
  CHECK(to_json(read.stages[0]) == to_json(record.stages[0]));
  CHECK(machine_differences(machine_record(true), read.machine).empty());
  const std::vector<std::string> differences = machine_differences(machine_record(false), read.machine);
  REQUIRE(differences.size() == 1);
  CHECK(differences[0] == "matrix products: \"float32\", was \"bfloat16\"");
}
