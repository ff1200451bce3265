#pragma once

#include <string>

#include "flow/environment.h"
#include "flow/reward.h"
#include "plugin/pool_options.h"

namespace hone {

/// Where a shared library is and where it runs.
struct LibraryConfig {
  std::string library;
  bool isolate = true;
  PoolOptions options;

  void describe(Fields& f);
  std::vector<std::string> command() const;  ///< that serves it in a process of its own
};

/// A reward in a shared library: docs/plugin_abi.md.
class LibraryRewardSpec : public RewardSpec {
 public:
  LibraryConfig config;
  void describe_reward(Fields& f) override { config.describe(f); }
  std::unique_ptr<Reward> make(const Services& services) const override;
};

/// An environment in a shared library.
class LibraryEnvironmentSpec : public EnvironmentSpec {
 public:
  LibraryConfig config;
  void describe(Fields& f) override { config.describe(f); }
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
