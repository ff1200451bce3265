#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "config/load.h"

/// A small run file with every type of field, for the tests of src/config.
namespace hone::test {

enum class Mode { sum, mean };
inline constexpr std::array<std::string_view, 2> mode_names = {"sum", "mean"};

class RewardBase : public Component {};

class ExactReward : public RewardBase {
 public:
  bool strip = true;
  double weight = 1.0;
  void describe(Fields& f) override {
    f.field("weight", weight, "Factor in the sum.");
    f.field("strip", strip, "Ignore blanks around the answer.");
  }
};

class SumReward : public RewardBase {
 public:
  std::vector<std::unique_ptr<RewardBase>> parts;
  void describe(Fields& f) override { f.components("parts", parts, "What is added."); }
};

class StageBase : public Component {};

class SftStage : public StageBase {
 public:
  std::string data;
  std::int64_t batch = 8;
  double learning_rate = 3e-4;
  void describe(Fields& f) override {
    f.field("data", data, "Name of the data to train on.");
    f.required();
    f.field("batch", batch, "Rows a step.", at_least(1));
    f.field("learning_rate", learning_rate, "Peak learning rate.", above(0));
  }
};

class PpoStage : public StageBase {
 public:
  std::int64_t episodes = 64;
  std::int64_t minibatch = 16;
  std::optional<double> target_kl;
  std::vector<std::unique_ptr<RewardBase>> rewards;
  void describe(Fields& f) override {
    f.field("episodes", episodes, "Episodes an iteration.", at_least(1));
    f.field("minibatch", minibatch, "Episodes an update.", at_least(1));
    f.field("target_kl", target_kl, "Stops the epochs early above this.", above(0));
    f.components("rewards", rewards, "What is rewarded.");
    f.check(minibatch <= episodes, "minibatch", "a minibatch cannot hold more than `episodes`");
  }
};

struct ModelConfig {
  std::int64_t dim = 64;
  double dropout = 0.0;
  Mode mode = Mode::sum;
  void describe(Fields& f) {
    f.field("dim", dim, "Width.", between(1, 8192));
    f.field("dropout", dropout, "Share of values dropped.", {.low = 0, .high = 1, .open_high = true});
    f.choice("mode", mode, mode_names, "How parts combine.");
  }
};

struct FileConfig {
  std::string path;
  std::vector<std::pair<std::string, std::string>> columns;
  void describe(Fields& f) {
    f.field("path", path, "The file.");
    f.required();
    f.field("columns", columns, "Names of the columns.");
  }
};

struct PhaseConfig {
  std::int64_t steps = 1;
  void describe(Fields& f) { f.field("steps", steps, "Steps of the phase.", at_least(0)); }
};

struct SampleConfig {
  std::string name = "run";
  bool verbose = false;
  Bytes memory{1 << 20};
  Seconds interval{300};
  std::vector<std::string> stop;
  std::vector<std::int64_t> sizes = {1, 2};
  std::vector<double> betas = {0.9, 0.999};
  std::optional<std::int64_t> limit;
  std::optional<std::string> note;
  std::vector<std::pair<std::string, double>> shares;
  ModelConfig model;
  std::vector<PhaseConfig> phases;
  std::vector<std::pair<std::string, FileConfig>> data;
  std::unique_ptr<RewardBase> judge;
  std::vector<std::unique_ptr<StageBase>> stages;

  void describe(Fields& f) {
    f.field("name", name, "Name of the run.");
    f.field("verbose", verbose, "Say more.");
    f.field("memory", memory, "Memory to use.", at_least(4096));
    f.field("interval", interval, "Time between checkpoints.", above(0));
    f.field("stop", stop, "Strings that end a completion.");
    f.field("sizes", sizes, "Some sizes.", at_least(1));
    f.field("betas", betas, "Decay of the moments.", between(0, 1));
    f.field("limit", limit, "Rows to read.", at_least(1));
    f.field("note", note, "For people.");
    f.field("shares", shares, "Share of each source.");
    f.section("model", model, "The network.");
    f.sections("phases", phases, "Phases of the run.");
    f.section_map("data", data, "Data by name.");
    f.component("judge", judge, "Scores the held-out completions.");
    f.components("stages", stages, "What the run does, in order.");
  }
};

template <class Kind>
std::unique_ptr<Component> make_kind() {
  return std::make_unique<Kind>();
}

inline Catalogs sample_catalogs() {
  Catalogs catalogs;
  catalogs.add<StageBase>(
      {"stage",
       {{"sft", "Trains on completions.", make_kind<SftStage>}, {"ppo", "Trains on rewards.", make_kind<PpoStage>}}});
  catalogs.add<RewardBase>({"reward",
                            {{"exact_match", "1 for the right answer.", make_kind<ExactReward>},
                             {"sum", "Adds rewards.", make_kind<SumReward>}}});
  return catalogs;
}

inline Fields::Body body_of(SampleConfig& config) {
  return [&config](Fields& f) { config.describe(f); };
}

/// A folder that lives as long as the test case, and what loading its files says.
class ConfigFolder {
 public:
  ConfigFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hone_config_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigFolder() { std::filesystem::remove_all(folder_); }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  SampleConfig load(std::string_view text, const std::vector<std::string>& overrides = {}) const {
    return load_config<SampleConfig>(write("run.yaml", text), overrides, sample_catalogs());
  }

  /// The message of the configuration error, with the folder's name cut out; "no error" without one.
  std::string error(std::string_view text, const std::vector<std::string>& overrides = {}) const {
    return error_of_file(write("run.yaml", text), overrides);
  }

  std::string error_of_file(const std::filesystem::path& path, const std::vector<std::string>& overrides = {}) const {
    try {
      (void)load_config<SampleConfig>(path, overrides, sample_catalogs());
    } catch (const Error& error) {
      if (error.exit_code() != 78) return fmt::format("exit code {}: {}", error.exit_code(), error.what());
      std::string message = error.what();
      const std::string prefix = folder_.string() + "/";
      for (auto at = message.find(prefix); at != message.npos; at = message.find(prefix))
        message.erase(at, prefix.size());
      return message;
    }
    return "no error";
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace hone::test
