#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "report/metrics.h"
#include "report/summary.h"

/// Checkpoints of a run lie in checkpoints/<stage>/: `step_N` while the stage goes on, `final` when it has ended, and
/// checkpoints/initial/final before the first. Each is a model directory that transformers loads, with two files more:
///
///     trainer.json         this record
///     trainer.safetensors  moments, reference, critic … (step_N only)
namespace hone {

/// What a checkpoint tells beside the weights.
struct CheckpointRecord {
  std::string stage;
  std::int64_t step = 0;
  bool finished = false;             ///< the stage has ended: the next one goes on
  std::int64_t updates = 0;          ///< that the weights have seen
  std::vector<FilePosition> files;   ///< how far metrics and samples had grown
  std::vector<StageSummary> stages;  ///< ended so far, this one included when finished
  Json machine;                      ///< what the bits depend on: see machine_record()
  Json values;                       ///< of the TrainerState

  /// Writes trainer.json.
  void write(const std::filesystem::path& directory) const;
  /// Error{data} when there is none, it is broken, or a newer hone wrote it.
  static CheckpointRecord read(const std::filesystem::path& directory);
};

/// What a resumed run has to share with the one before to be the same to the bit: build, instruction set, precision,
/// threads, LibTorch.
Json machine_record(bool bfloat16);

/// "threads: 2, was 4" for each entry that differs.
std::vector<std::string> machine_differences(const Json& now, const Json& before);

/// Where a run directory stands.
struct ResumePoint {
  std::size_t stage = 0;                ///< index of the stage to run next; the number of stages when all have ended
  std::filesystem::path place;          ///< the newest checkpoint that verifies
  CheckpointRecord record;              ///< of that place
  std::vector<std::string> rejected;    ///< newer ones that are damaged, and how
  bool mid_stage() const { return !record.finished; }
};

/// The newest checkpoint that verifies of a run with these stages, or nothing. Error{data} when a newer hone wrote one.
std::optional<ResumePoint> find_resume_point(const std::filesystem::path& run_directory, std::span<const std::string> stages);

/// Deletes the oldest `step_N` of a stage, so that `keep` ≥ 1 that verify are left. Damaged ones that are newer are left too.
void rotate_checkpoints(const std::filesystem::path& stage_directory, std::int64_t keep);

}  // namespace hone
