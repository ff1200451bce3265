#include "plugin/worker_pool.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"

namespace hone {

namespace {

constexpr double first_pause = 0.05;  // seconds before a restart; doubles with every failure in a row
constexpr double longest_pause = 5;
constexpr std::chrono::milliseconds pause_step(20);

}  // namespace

WorkerPool::WorkerPool(WorkerSpec spec, std::int64_t workers)
    : spec_(std::move(spec)), slots_(static_cast<std::size_t>(std::max<std::int64_t>(1, workers))) {
  slots_.front().worker = std::make_unique<PluginWorker>(spec_);
  slots_.front().started = true;
  hello_ = slots_.front().worker->hello();
}

WorkerPool::Slot& WorkerPool::lease() {
  std::unique_lock lock(mutex_);
  Slot* chosen = nullptr;
  idle_.wait(lock, [&] {
    for (Slot& slot : slots_) {
      if (slot.busy) continue;
      // A running process before one that is to be started, and that before one that failed.
      const auto rank = [](const Slot& s) { return s.worker != nullptr ? 0 : 1 + s.failures; };
      if (chosen == nullptr || rank(slot) < rank(*chosen)) chosen = &slot;
    }
    return chosen != nullptr;
  });
  chosen->busy = true;
  return *chosen;
}

void WorkerPool::give_back(Slot& slot, bool failed) {
  {
    const std::lock_guard lock(mutex_);
    if (slot.worker != nullptr) {
      for (auto& figure : slot.worker->take_metrics()) figures_.push_back(std::move(figure));
    }
    slot.failures = failed ? slot.failures + 1 : 0;
    if (failed) {
      const double pause = std::min(longest_pause, first_pause * std::pow(2.0, std::min(slot.failures - 1, 20)));
      slot.not_before = seconds_from_now(pause);
    }
    slot.busy = false;
  }
  idle_.notify_one();
}

/// Sees to it that the slot has a process. Why there is none, otherwise.
std::optional<PluginFailure> WorkerPool::make_ready(Slot& slot) {
  if (slot.worker != nullptr) return std::nullopt;
  while (std::chrono::steady_clock::now() < slot.not_before && stop_signal() == 0) std::this_thread::sleep_for(pause_step);
  if (stop_signal() != 0) return PluginFailure{"hone is stopping", "stopped"};
  if (slot.started) {
    const std::lock_guard lock(mutex_);
    ++restarts_;
  }
  try {
    slot.started = true;
    slot.worker = std::make_unique<PluginWorker>(spec_);
  } catch (const Error& error) {
    return PluginFailure{error.what(), "crash"};
  }
  return std::nullopt;
}

PluginWorker::Result WorkerPool::call(std::string_view key, Json::Array items, double seconds) {
  Slot& slot = lease();
  if (std::optional<PluginFailure> failure = make_ready(slot)) {
    give_back(slot, true);
    return std::move(*failure);
  }
  PluginWorker::Result result = slot.worker->call(key, std::move(items), seconds_from_now(seconds));
  const bool broken = slot.worker->broken();
  if (broken) {
    log_warn("{}: {}; its process is started again", spec_.name, std::get<PluginFailure>(result).why);
    slot.worker.reset();  // kills it
  }
  give_back(slot, broken);
  return result;
}

std::vector<std::pair<std::string, double>> WorkerPool::take_metrics() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, double>> means;
  std::vector<double> counts;
  for (const auto& [name, value] : figures_) {
    const auto found = std::ranges::find(means, name, &std::pair<std::string, double>::first);
    if (found == means.end()) {
      means.emplace_back(name, value);
      counts.push_back(1);
    } else {
      found->second += value;
      ++counts[static_cast<std::size_t>(found - means.begin())];
    }
  }
  for (std::size_t i = 0; i < means.size(); ++i) means[i].second /= counts[i];
  if (restarts_ > 0) means.emplace_back("restarts", static_cast<double>(restarts_));
  figures_.clear();
  restarts_ = 0;
  return means;
}

}  // namespace hone
