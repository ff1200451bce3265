#pragma once

#include "flow/environment.h"
#include "plugin/pool_options.h"
#include "plugin/worker_pool.h"

namespace hone {

/// An environment in a process of its own. A step that fails ends its episode as failed; a prompt that cannot be had is
/// Error{service}.
class PoolEnvironment : public Environment {
 public:
  /// Error{service} when the plug-in cannot start.
  PoolEnvironment(WorkerSpec spec, const PoolOptions& options, std::uint64_t key);

  std::uint64_t size(Split split) const override { return split == Split::train ? train_ : held_out_; }
  Prompt prompt(Split split, std::uint64_t index) const override;
  std::optional<std::string> demonstration(const Prompt& prompt) const override;
  Step step(const Episode& episode) override;
  std::vector<Step> steps(std::span<const Episode* const> episodes) override;

 private:
  Json ask_prompt(Split split, std::uint64_t index) const;

  mutable WorkerPool pool_;
  std::string name_;
  std::uint64_t train_ = 0, held_out_ = 0;
  double seconds_;
  std::uint64_t key_;
};

}  // namespace hone
