#include "stages/checkpoint.h"

#include <torch/version.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/threads.h"
#include "io/atomic_directory.h"
#include "io/checksum.h"
#include "io/file.h"
#include "kernels/isa.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view record_file = "trainer.json";
constexpr std::string_view format_name = "hone-trainer";
constexpr std::int64_t format_version = 1;
constexpr std::string_view step_prefix = "step_";

Json files_json(const std::vector<FilePosition>& files) {
  Json list = Json::array();
  for (const FilePosition& file : files) {
    list.push_back(Json::Object{{"file", file.file}, {"bytes", file.bytes}});
  }
  return list;
}

Json read_json(const fs::path& directory) {
  const fs::path file = directory / record_file;
  const Json json = Json::parse(read_file(file), file.string());
  if (json.at("format").as_string() != format_name) {
    fail(ErrorKind::data, "{}: not a trainer's record of hone", file.string());
  }
  json.at("version").as_integer();
  return json;
}

/// Falling back from what a newer program wrote would lose its work.
void refuse_newer(const Json& json, const fs::path& directory) {
  const std::int64_t version = json.at("version").as_integer();
  if (version <= format_version) return;
  fail(ErrorKind::data, "{}: format version {} was written by a newer hone; this one reads versions up to {}: update hone",
       (directory / record_file).string(), version, format_version);
}

CheckpointRecord record_of(const Json& json) {
  CheckpointRecord record{.stage = json.at("stage").as_string(),
                          .step = json.at("step").as_integer(),
                          .finished = json.at("finished").as_bool(),
                          .updates = json.at("updates").as_integer(),
                          .machine = json.at("machine"),
                          .values = json.at("values")};
  for (const Json& position : json.at("files").as_array()) {
    record.files.push_back({position.at("file").as_string(), position.at("bytes").as_integer()});
  }
  for (const Json& summary : json.at("stages").as_array()) record.stages.push_back(summary_from_json(summary));
  return record;
}

/// Whether `place` can be gone on from; else says why in `rejected`.
bool usable(const fs::path& place, const fs::path& run_directory, std::vector<std::string>& rejected,
            CheckpointRecord& record) {
  if (!fs::exists(place)) return false;
  std::vector<std::string> problems;
  Json json;
  try {
    json = read_json(place);
  } catch (const Error& error) {
    problems.push_back(error.what());
  }
  if (problems.empty()) {
    refuse_newer(json, place);
    problems = verify_directory(place);
  }
  if (problems.empty()) record = record_of(json);
  const std::string name = place.lexically_relative(run_directory).string();
  for (const std::string& problem : problems) rejected.push_back(name + ": " + problem);
  return problems.empty();
}

/// Newest first.
std::vector<fs::path> steps_in(const fs::path& stage_directory) {
  std::vector<std::pair<std::int64_t, fs::path>> found = numbered_directories(stage_directory, step_prefix);
  std::vector<fs::path> places;
  for (auto& [number, place] : found) places.push_back(std::move(place));
  return places;
}

}  // namespace

void CheckpointRecord::write(const fs::path& directory) const {
  Json json = Json::Object{{"format", Json(format_name)}, {"version", format_version}, {"stage", stage},
                           {"step", step},                {"finished", finished},      {"updates", updates},
                           {"machine", machine}};
  json.set("files", files_json(files));
  Json summaries = Json::array();
  for (const StageSummary& summary : stages) summaries.push_back(to_json(summary));
  json.set("stages", std::move(summaries));
  json.set("values", values);
  write_file_atomic(directory / record_file, json.dump(2) + "\n");
}

CheckpointRecord CheckpointRecord::read(const fs::path& directory) {
  const Json json = read_json(directory);
  refuse_newer(json, directory);
  return record_of(json);
}

Json machine_record(bool bfloat16) {
  static const std::string build = file_checksum("/proc/self/exe");
  return Json::Object{{"build", build},
                      {"libtorch", TORCH_VERSION},
                      {"instruction set", kernels::isa_name()},
                      {"matrix products", bfloat16 ? "bfloat16" : "float32"},
                      {"threads", static_cast<std::int64_t>(threads())}};
}

std::vector<std::string> machine_differences(const Json& now, const Json& before) {
  std::vector<std::string> differences;
  for (const auto& [key, value] : now.as_object()) {
    const Json* other = before.find(key);
    if (other != nullptr && *other == value) continue;
    differences.push_back(fmt::format("{}: {}, was {}", key, value.dump(), other == nullptr ? "not told" : other->dump()));
  }
  return differences;
}

std::optional<ResumePoint> find_resume_point(const fs::path& run_directory, std::span<const std::string> stages) {
  ResumePoint point;
  const fs::path checkpoints = run_directory / "checkpoints";
  for (std::size_t i = stages.size(); i > 0; --i) {
    point.stage = i;
    point.place = checkpoints / stages[i - 1] / "final";
    if (usable(point.place, run_directory, point.rejected, point.record)) return point;
    point.stage = i - 1;
    for (const fs::path& place : steps_in(checkpoints / stages[i - 1])) {
      point.place = place;
      if (usable(place, run_directory, point.rejected, point.record)) return point;
    }
  }
  point.stage = 0;
  point.place = checkpoints / "initial" / "final";
  if (usable(point.place, run_directory, point.rejected, point.record)) return point;
  for (const std::string& problem : point.rejected) log_warn("{}", problem);
  return std::nullopt;
}

void rotate_checkpoints(const fs::path& stage_directory, std::int64_t keep) {
  std::int64_t verified = 0;
  for (const fs::path& place : steps_in(stage_directory)) {
    if (verified >= keep) {
      std::error_code error;
      fs::remove_all(place, error);
      if (error) log_warn("{}: cannot delete this old checkpoint: {}", place.string(), error.message());
    } else if (verify_directory(place).empty()) {
      ++verified;
    }
  }
}

}  // namespace hone
