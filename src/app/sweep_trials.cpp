#include "app/sweep_trials.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/stop.h"
#include "io/file.h"
#include "report/record/run_record.h"

namespace hone {

namespace {

namespace fs = std::filesystem;

constexpr int exit_preempted = static_cast<int>(ErrorKind::preempted);
constexpr int exit_stopped = static_cast<int>(ErrorKind::stopped);

/// Runs a command with its output at the end of a file. Returns its exit code, 128 + n for signal n. Signals that ask to
/// stop reach it.
int run_command(const std::vector<std::string>& command, const fs::path& log) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words[0], &actions, nullptr, words.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail_system("cannot start", command[0], error);
  int status = 0;
  bool told = false;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    // A terminal sends SIGINT to both; what ends only this process is passed on.
    if (const int signal = stop_signal(); signal != 0 && signal != SIGINT && !told) told = ::kill(child, signal) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Json as_json(const SweepTrial& trial) {
  Json overrides = Json::object();
  for (const auto& [key, value] : trial.overrides) overrides.set(key, value);
  return Json::Object{{"trial", trial.name},
                      {"status", trial.status},
                      {"value", trial.value ? Json(*trial.value) : Json()},
                      {"overrides", std::move(overrides)}};
}

/// What decides the trials, to tell a sweep from another one.
Json identity(const SweepConfig& config, const std::vector<SweepPoint>& points) {
  Json list = Json::array();
  for (const SweepPoint& point : points) list.push_back(as_json({.overrides = point}).at("overrides"));
  return Json::Object{{"run", config.run.string()}, {"resource", config.resource}, {"points", std::move(list)}};
}

/// The first `points` entries of both agree: a sweep may get more trials.
bool continues(const Json& now, const Json& before) {
  const Json::Array& ours = now.at("points").as_array();
  const Json::Array& theirs = before.at("points").as_array();
  return now.at("run") == before.at("run") && now.at("resource") == before.at("resource") && ours.size() >= theirs.size() &&
         std::equal(theirs.begin(), theirs.end(), ours.begin());
}

}  // namespace

Sweep::Sweep(SweepConfig config, std::string program)
    : config_(std::move(config)), program_(std::move(program)), points_(sweep_points(config_)) {
  make_directories(config_.directory);
  const fs::path file = fs::path(config_.directory) / "sweep.json";
  const Json now = identity(config_, points_);
  if (fs::exists(file) && !continues(now, Json::parse(read_file(file), file.string()))) {
    fail(ErrorKind::config, "{} holds a sweep with other trials; give another `directory`, or move it away", config_.directory);
  }
  write_file_atomic(file, now.dump(2) + "\n");
}

const std::vector<SweepTrial>& Sweep::run() {
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < points_.size(); ++i) points.push_back(i);
  if (config_.method != SweepMethod::halving) {
    run_rung(points, std::nullopt);
    return trials_;
  }
  for (const std::int64_t amount : sweep_rungs(config_)) {
    if (amount != config_.resource_low || !trials_.empty()) {  // behind the first rung: the best share goes on
      std::vector<std::optional<double>> values(points_.size());
      for (std::size_t i = last_rung_; i < trials_.size(); ++i) values[trials_[i].point] = trials_[i].value;
      const std::size_t keep = std::max<std::size_t>(1, points.size() / static_cast<std::size_t>(config_.factor));
      points = best_trials(values, keep, config_.maximize);
    }
    run_rung(points, amount);
  }
  return trials_;
}

void Sweep::run_rung(const std::vector<std::size_t>& points, std::optional<std::int64_t> resource) {
  last_rung_ = trials_.size();
  for (const std::size_t point : points) {
    SweepTrial trial{.point = point, .name = fmt::format("trial_{:03}", point + 1), .overrides = points_[point]};
    if (resource) {
      trial.name += fmt::format("_of_{}", *resource);
      trial.overrides.emplace_back(config_.resource, std::to_string(*resource));
    }
    trials_.push_back(std::move(trial));
  }
  for (std::size_t i = last_rung_; i < trials_.size(); ++i) {
    throw_if_stopped();
    run_trial(trials_[i]);
    write_results();
    log_info("{}: {}{}", trials_[i].name, trials_[i].status,
             trials_[i].value ? fmt::format(", {} {}", config_.metric, *trials_[i].value) : "");
  }
}

void Sweep::run_trial(SweepTrial& trial) {
  read_result(trial);
  if (trial.status == "finished") return;
  std::vector<std::string> command = {program_, "run", config_.run.string(), "run.name=" + trial.name,
                                      "run.directory=" + config_.directory};
  for (const auto& [key, value] : trial.overrides) command.push_back(key + "=" + value);
  const fs::path log = fs::path(config_.directory) / (trial.name + ".log");
  const int code = run_command(command, log);
  if (code == exit_stopped || code == exit_preempted || code == 128 + SIGINT) {
    trial.status = "stopped";
    write_results();
    fail(code == exit_preempted ? ErrorKind::preempted : ErrorKind::stopped,
         "{} was stopped and is saved: run the same command to go on", trial.name);
  }
  if (code == 0) return read_result(trial);
  trial.status = fmt::format("exit code {}, see {}", code, log.string());
}

void Sweep::read_result(SweepTrial& trial) const {
  const fs::path place = fs::path(config_.directory) / trial.name;
  if (!fs::exists(place / "config.yaml")) return;
  const RunRecord record = read_run(place);
  if (!record.finished()) return;
  trial.status = "finished";
  for (const StageRecord& stage : record.stages) {
    const MetricSeries* series = stage.name == config_.stage ? stage.find(config_.metric) : nullptr;
    if (series != nullptr && !series->points.empty()) trial.value = series->points.back().value;
  }
  if (!trial.value) {
    fail(ErrorKind::config, "{}: its stage {} never reported {}; metric.stage and metric.name are what metrics.jsonl has",
         place.string(), config_.stage, config_.metric);
  }
  if (!std::isfinite(*trial.value)) trial.value.reset();
}

void Sweep::write_results() const {
  std::string lines;
  for (const SweepTrial& trial : trials_) lines += as_json(trial).dump() + "\n";
  write_file_atomic(fs::path(config_.directory) / "results.jsonl", lines);
}

std::string Sweep::table() const {
  std::vector<Table::Column> columns = {{"trial", Align::left}, {config_.metric, Align::right}};
  for (const SweepParameter& parameter : config_.parameters) columns.push_back({parameter.path, Align::right});
  columns.push_back({"status", Align::left});
  Table table(std::move(columns));
  std::vector<std::optional<double>> values(trials_.size());
  for (std::size_t i = last_rung_; i < trials_.size(); ++i) values[i] = trials_[i].value;
  std::vector<std::size_t> order = best_trials(values, values.size(), config_.maximize);
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  }
  for (const std::size_t i : order) {
    const SweepTrial& trial = trials_[i];
    std::vector<std::string> cells = {trial.name, trial.value ? fmt::format("{:.6g}", *trial.value) : "-"};
    for (std::size_t p = 0; p < config_.parameters.size(); ++p) cells.push_back(trial.overrides[p].second);
    cells.push_back(trial.status);
    table.add(std::move(cells));
  }
  return table.text();
}

}  // namespace hone
