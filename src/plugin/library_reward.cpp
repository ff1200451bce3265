#include "plugin/library_reward.h"

#include <algorithm>

#include "base/error.h"
#include "plugin/library_items.h"

namespace hone {

namespace {

const hone_reward& reward_of(const Library& library) {
  if (library.reward() == nullptr) {
    fail(ErrorKind::config, "plug-in {}: offers an environment, expected a reward", library.path().string());
  }
  return *library.reward();
}

}  // namespace

LibraryReward::LibraryReward(std::shared_ptr<Library> library, LibrarySettings settings, std::int64_t calls_at_once,
                             std::int64_t call_size)
    : library_(std::move(library)),
      table_(reward_of(*library_)),
      settings_(std::move(settings)),
      who_(fmt::format("reward {} (plug-in {})", settings_.name, library_->path().string())),
      calls_at_once_(table_.threads == HONE_THREADS_SERIAL ? std::min<std::int64_t>(calls_at_once, 1) : calls_at_once),
      call_size_(call_size) {
  if (!settings_.metric) settings_.metric = [this](std::string_view name, double value) { add_figure(name, value); };
  // One is made now in any case, so that what cannot start is told before anything else is done.
  std::unique_ptr<LibraryInstance> first = make_instance();
  if (table_.threads == HONE_THREADS_PER_INSTANCE) {
    idle_.push_back(std::move(first));
  } else {
    shared_ = std::move(first);
  }
}

LibraryReward::~LibraryReward() {
  const std::unique_lock<std::mutex> lock = serial_lock();
  shared_.reset();
}

/// Held during what a serial plug-in does; empty for others.
std::unique_lock<std::mutex> LibraryReward::serial_lock() const {
  if (table_.threads == HONE_THREADS_SERIAL) return std::unique_lock<std::mutex>(library_->serial());
  return {};
}

std::unique_ptr<LibraryInstance> LibraryReward::make_instance() const {
  const std::unique_lock<std::mutex> lock = serial_lock();
  return std::make_unique<LibraryInstance>(table_.create, table_.destroy, settings_, who_);
}

/// An instance for one call alone, where the plug-in wants that.
std::unique_ptr<LibraryInstance> LibraryReward::lease() {
  if (shared_ != nullptr) return nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<LibraryInstance> instance = std::move(idle_.back());
      idle_.pop_back();
      return instance;
    }
  }
  return make_instance();
}

void LibraryReward::give_back(std::unique_ptr<LibraryInstance> instance) {
  if (instance == nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(instance));
}

std::vector<Score> LibraryReward::score(std::span<const Episode> episodes) {
  std::vector<const Episode*> pointers;
  std::vector<std::uint64_t> seeds;
  for (const Episode& episode : episodes) {
    pointers.push_back(&episode);
    seeds.push_back(episode_seed(settings_.key, episode));
  }
  return score(pointers, seeds);
}

std::vector<Score> LibraryReward::score(std::span<const Episode* const> episodes,
                                        std::span<const std::uint64_t> seeds) {
  HONE_ASSERT(episodes.size() == seeds.size());
  if (episodes.empty()) return {};
  LibraryItems items;
  for (std::size_t i = 0; i < episodes.size(); ++i) items.add(*episodes[i], seeds[i]);
  std::unique_ptr<LibraryInstance> own = lease();
  void* const instance = own != nullptr ? own->get() : shared_->get();
  hone_call call(settings_, episodes.size());
  const std::string failure = [&] {
    const std::unique_lock<std::mutex> lock = serial_lock();
    return call.run([&] { return table_.score(instance, &call, items.data(), items.size()); });
  }();
  give_back(std::move(own));
  return call.scores(failure, episodes);
}

void LibraryReward::add_figure(std::string_view name, double value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = std::ranges::find(figures_, name, &Figure::name);
  Figure& figure = known == figures_.end() ? figures_.emplace_back(std::string(name), 0, 0) : *known;
  figure.sum += value;
  figure.count += 1;
}

std::vector<std::pair<std::string, double>> LibraryReward::take_metrics() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::pair<std::string, double>> means;
  for (const Figure& figure : figures_) means.emplace_back(figure.name, figure.sum / figure.count);
  figures_.clear();
  return means;
}

}  // namespace hone
