#pragma once

#include <memory>

#include "flow/reward.h"
#include "plugin/pool_options.h"
#include "plugin/worker_pool.h"

namespace hone {

/// A reward in processes of its own.
///
/// What fails is an error of the episodes of that call. When the process dies, the call is repeated in halves within the
/// time that is left, so that one episode that kills the plug-in costs only itself.
class PoolReward : public Reward {
 public:
  /// Error{service} when the plug-in cannot start. `key`: see plugin_key.
  PoolReward(WorkerSpec spec, const PoolOptions& options, std::uint64_t key);

  RewardScope scope() const override { return scope_; }
  std::int64_t calls_at_once() const override { return pool_.workers(); }
  std::int64_t call_size() const override { return batch_; }
  std::vector<Score> score(std::span<const Episode> episodes) override;
  std::vector<std::pair<std::string, double>> take_metrics() override { return pool_.take_metrics(); }

 private:
  struct Attempt {
    Deadline deadline;
    int crashes_left;
  };
  void score_into(std::span<const Episode> episodes, std::span<Score> scores, Attempt& attempt);

  WorkerPool pool_;
  RewardScope scope_;
  std::int64_t batch_;
  double seconds_;
  std::uint64_t key_;
};

}  // namespace hone
