#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "data/config.h"
#include "nn/model.h"
#include "plugin/sandbox/sandbox.h"
#include "stages/run.h"
#include "stages/stage.h"

namespace hone {

enum class ComputeChoice { automatic, float32, bfloat16 };
inline constexpr std::array<std::string_view, 3> compute_names = {"auto", "float32", "bfloat16"};

struct RunSection {
  std::string name;
  std::string directory = "runs";
  std::int64_t seed = 1;
  std::int64_t threads = 0;
  Seconds stop_grace{25};
  void describe(Fields& f);
};

struct ModelSection {
  std::optional<std::string> path;
  std::unique_ptr<PolicySpec> architecture;
  ComputeChoice compute = ComputeChoice::automatic;
  TuningConfig tuning;
  void describe(Fields& f);
};

struct TokenizerSection {
  std::optional<std::string> path;
  std::optional<std::string> train_on;
  std::int64_t vocabulary = 4096;
  std::optional<std::string> chat_template;
  void describe(Fields& f);
};

/// One YAML file.
struct RootConfig {
  RunSection run;
  CheckpointsConfig checkpoints;
  ReportingConfig report;
  ModelSection model;
  TokenizerSection tokenizer;
  SandboxConfig sandbox;
  std::vector<std::pair<std::string, DataConfig>> data;
  std::vector<std::unique_ptr<StageSpec>> stages;

  RootConfig();
  void describe(Fields& f);
  /// Rules between sections: stages and data sets that are named must exist.
  void check_references(Fields& f) const;
  std::filesystem::path run_directory() const { return std::filesystem::path(run.directory) / run.name; }
};

/// Reads a file with overrides. run.name defaults to the file's name. Error{config} lists everything that is wrong.
RootConfig load_root(const std::filesystem::path& file, std::span<const std::string> overrides);

/// An entry of `data:` for a file alone; overrides are its keys. Error{config} lists everything that is wrong.
DataConfig data_entry(const std::string& path, std::span<const std::string> overrides);

}  // namespace hone
