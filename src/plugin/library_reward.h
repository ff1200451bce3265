#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flow/reward.h"
#include "plugin/library_instance.h"

namespace hone {

/// A reward of a shared library, called within this process: a plug-in that crashes takes the process along.
///
/// What a plug-in does wrong, and can be seen, is an error of the episodes concerned: an exception, a missing, second
/// or surplus verdict, values that are not finite. Threads: calls beyond what the plug-in allows wait for each other.
class LibraryReward : public Reward {
 public:
  /// Error{service} when the plug-in cannot start, Error{config} when the library has no reward.
  LibraryReward(std::shared_ptr<Library> library, LibrarySettings settings, std::int64_t calls_at_once = 1,
                std::int64_t call_size = 0);
  ~LibraryReward() override;

  RewardScope scope() const override { return static_cast<RewardScope>(table_.scope); }
  /// As given, but one when the plug-in is serial.
  std::int64_t calls_at_once() const override { return calls_at_once_; }
  std::int64_t call_size() const override { return call_size_; }
  bool deterministic() const { return table_.deterministic != 0; }

  std::vector<Score> score(std::span<const Episode> episodes) override;
  /// The same with seeds given, one an episode.
  std::vector<Score> score(std::span<const Episode* const> episodes, std::span<const std::uint64_t> seeds);

  /// Means of the figures that the plug-in told; only where the settings had no place for them.
  std::vector<std::pair<std::string, double>> take_metrics() override;

 private:
  struct Figure {
    std::string name;
    double sum;
    double count;
  };
  std::unique_ptr<LibraryInstance> make_instance() const;
  std::unique_ptr<LibraryInstance> lease();
  void give_back(std::unique_ptr<LibraryInstance> instance);
  std::unique_lock<std::mutex> serial_lock() const;
  void add_figure(std::string_view name, double value);

  std::shared_ptr<Library> library_;
  const hone_reward& table_;
  LibrarySettings settings_;
  std::string who_;
  std::int64_t calls_at_once_;
  std::int64_t call_size_;
  std::unique_ptr<LibraryInstance> shared_;  ///< for all calls, unless each needs one of its own
  std::mutex mutex_;                         ///< guards what follows
  std::vector<std::unique_ptr<LibraryInstance>> idle_;
  std::vector<Figure> figures_;
};

}  // namespace hone
