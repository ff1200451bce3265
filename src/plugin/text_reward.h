#pragma once

#include <string>
#include <vector>

#include "flow/reward.h"
#include "plugin/pool_options.h"

namespace hone {

/// A reward in the plain dialect, for shells: a process a call reads, for each episode, the chosen texts on its stdin,
/// each with a NUL behind it, and prints one line an episode: a number, `abstain`, or `error` and why.
///
///     while IFS= read -r -d '' completion; do echo "${#completion}"; done
class TextReward : public Reward {
 public:
  /// `fields`: of completion, prompt, answer (of the reference, or all of it as JSON when it has none), seed.
  TextReward(WorkerSpec spec, const PoolOptions& options, std::vector<std::string> fields, std::uint64_t key);

  std::int64_t calls_at_once() const override { return workers_; }
  std::int64_t call_size() const override { return batch_; }
  std::vector<Score> score(std::span<const Episode> episodes) override;

  static bool knows(const std::string& field);

 private:
  std::string input_for(std::span<const Episode> episodes) const;

  WorkerSpec spec_;
  std::vector<std::string> fields_;
  std::int64_t workers_, batch_;
  double seconds_;
  std::uint64_t key_;
};

}  // namespace hone
