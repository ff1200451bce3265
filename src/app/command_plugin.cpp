#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/catalog.h"
#include "app/commands.h"
#include "base/error.h"
#include "base/format.h"
#include "io/file.h"
#include "plugin/exec.h"
#include "plugin/http_reward.h"
#include "plugin/library.h"
#include "plugin/library_spec.h"
#include "plugin/process.h"
#include "plugin/sandbox/sandbox.h"
#include "plugin/text_reward.h"
#include "plugin/trial.h"
#include "plugin_sdk.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr double seconds_a_size = 1;  // of the benchmark

bool is_library(const PluginCommand& command) {
  return command.target.size() == 1 && fs::path(command.target[0]).extension() == ".so";
}

PoolOptions options_of(const PluginCommand& command) {
  PoolOptions options;
  options.timeout = {command.timeout};
  options.batch = 1 << 20;
  for (const std::string& setting : command.config) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) fail(ErrorKind::usage, "--config: expected key=value, got '{}'", setting);
    options.config.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return options;
}

/// What needs a run cannot be tried without one.
Services without_run() {
  const auto refuse = [](const char* what) {
    return [what](const auto&...) -> std::nullptr_t {
      fail(ErrorKind::usage, "it needs {}, which only a run has; try it in a run's file", what);
    };
  };
  Services services;
  services.prompts = refuse("a data set");
  services.likelihood = services.scorer = refuse("a model");
  services.step_scorer = refuse("a model");
  services.executor = [] { return make_sandbox({}, plugin_host().string()); };
  return services;
}

/// A service, or what is built in and needs no settings; nothing when the target is neither.
std::unique_ptr<RewardSpec> known_reward(const std::string& target) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    auto spec = std::make_unique<HttpRewardSpec>();
    spec->service.url = target;
    spec->batch = 1 << 20;
    return spec;
  }
  const Catalog::Row* row = built_in().of<RewardSpec>().find(target);
  return row == nullptr ? nullptr : std::unique_ptr<RewardSpec>(static_cast<RewardSpec*>(row->make().release()));
}

/// Of a reward's spec or an environment's.
template <class Spec>
auto from_library(const PluginCommand& command) {
  Spec spec;
  spec.name = "plugin";
  spec.config = {.library = command.target[0], .isolate = !command.in_process, .options = options_of(command)};
  return spec.make(without_run());
}

std::unique_ptr<Reward> make_reward(const PluginCommand& command) {
  if (const std::unique_ptr<RewardSpec> known = command.target.size() == 1 ? known_reward(command.target[0]) : nullptr) {
    known->name = "plugin";
    return known->make(without_run());
  }
  if (is_library(command)) return from_library<LibraryRewardSpec>(command);
  ExecRewardSpec spec;
  spec.name = "plugin";
  spec.command = command.target;
  spec.dialect = command.text ? ExecRewardSpec::Dialect::text : ExecRewardSpec::Dialect::json;
  if (!command.fields.empty()) spec.fields = command.fields;
  if (!std::ranges::all_of(spec.fields, TextReward::knows)) {
    fail(ErrorKind::usage, "--fields: expected some of completion, prompt, answer, seed");
  }
  spec.options = options_of(command);
  return spec.make(without_run());
}

std::unique_ptr<Environment> make_environment(const PluginCommand& command) {
  if (is_library(command)) return from_library<LibraryEnvironmentSpec>(command);
  ExecEnvironmentSpec spec;
  spec.name = "plugin";
  spec.command = command.target;
  spec.options = options_of(command);
  return spec.make(without_run());
}

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 32; }, ' ');
  return text;
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

void write_new(const fs::path& path, std::string_view text) {
  make_directories(path.parent_path().empty() ? fs::path(".") : path.parent_path());
  write_file_atomic(path, text);
  fmt::print("{}\n", path.string());
}

bool is_name(std::string_view name) {
  const auto good = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; };
  return !name.empty() && std::ranges::all_of(name, good);
}

}  // namespace

void command_plugin_new(const NewPlugin& plugin) {
  if (!is_name(plugin.name)) fail(ErrorKind::usage, "a name has letters, digits, _ and -; got '{}'", plugin.name);
  const std::string ending = plugin.language == "python" ? "py" : plugin.language == "bash" ? "sh" : plugin.language;
  const std::string wanted = fmt::format("templates/{}.{}.in", plugin.kind, ending);
  const auto* found = std::ranges::find(embedded, wanted, &EmbeddedFile::name);
  if (found == std::end(embedded)) {
    fail(ErrorKind::usage, "there is no template of an environment in {}; take --lang python, c or cpp", plugin.language);
  }
  const fs::path folder = plugin.directory;
  const fs::path file = folder / (plugin.name + "." + ending);
  if (fs::exists(file)) fail(ErrorKind::io, "{}: exists already; take another name or remove it", file.string());
  write_new(file, replaced(replaced(std::string(found->text), "@NAME@", plugin.name), "@SDK@", "."));
  for (const EmbeddedFile& support : embedded) {
    const bool python = plugin.language == "python" && support.name == "hone_plugin.py";
    const bool header = (plugin.language == "c" || plugin.language == "cpp") && support.name.starts_with("hone/");
    if (python || header) write_new(folder / support.name, support.text);
  }
}

void command_plugin_test(const PluginCommand& command) {
  std::vector<TrialLine> lines;
  if (command.kind == "env") {
    lines = try_environment(*make_environment(command));
  } else {
    lines = try_reward(*make_reward(command), command.random);
  }
  std::int64_t bad = 0;
  for (const TrialLine& line : lines) {
    bad += line.good ? 0 : 1;
    fmt::print("{:<6}{:<44}{}\n", line.good ? "ok" : "FAILS", line.what, one_line(line.detail));
  }
  if (bad > 0) fail(ErrorKind::data, "{} of {} trials failed; docs/plugins.md says what is expected", bad, lines.size());
}

void command_plugin_bench(const PluginCommand& command) {
  const std::unique_ptr<Reward> reward = make_reward(command);
  Table table({{"batch", Align::right}, {"calls", Align::right}, {"scores/s", Align::right}, {"p50", Align::right},
               {"p99", Align::right}});
  for (const std::int64_t batch : {1, 16, 256}) {
    const CallTimes times = time_calls(*reward, batch, seconds_a_size);
    table.add({std::to_string(batch), format_count(static_cast<std::int64_t>(times.seconds.size())),
               format_count(static_cast<std::int64_t>(times.scores_per_second())),
               fmt::format("{:.3f} ms", 1e3 * times.quantile(0.5)), fmt::format("{:.3f} ms", 1e3 * times.quantile(0.99))});
  }
  fmt::print("{}", table.text());
}

void command_plugin_list() {
  for (const auto& [type, catalog] : built_in().rows()) {
    if (catalog.noun != "reward" && catalog.noun != "environment") continue;
    fmt::print("{}s, built in\n", catalog.noun);
    for (const Catalog::Row& row : catalog.rows) fmt::print("  {:<18} {}\n", row.kind, row.doc);
  }
  for (const fs::path& folder : plugin_folders({})) {
    fmt::print("libraries in {}\n", folder.string());
    std::error_code none;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (entry.path().extension() == ".so") names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    for (const std::string& name : names) fmt::print("  {}\n", name);
    if (names.empty()) fmt::print("  none\n");
  }
}

}  // namespace hone
