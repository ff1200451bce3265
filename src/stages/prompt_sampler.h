#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "flow/environment.h"
#include "rollout/collect.h"
#include "stages/run.h"

namespace hone {

/// Answers of the model that learns to an environment's training prompts.
class PromptSampler {
 public:
  /// `run` and its model outlive it. `stage` names its random stream.
  PromptSampler(Run& run, const EnvironmentSpec& environment, const SamplingConfig& sampling,
                const EngineConfig& engine, const std::string& stage);

  Environment& environment() { return *environment_; }
  std::uint64_t prompts() const { return environment_->size(Split::train); }
  /// `samples` episodes for each prompt, adjacent, not yet scored. Another `visit` draws anew.
  std::vector<Episode> episodes(std::span<const std::uint64_t> prompts, std::int64_t samples, std::uint64_t visit);

 private:
  Run& run_;
  std::unique_ptr<Environment> environment_;
  SamplingConfig sampling_;
  Engine engine_;
  std::uint64_t key_;
};

}  // namespace hone
