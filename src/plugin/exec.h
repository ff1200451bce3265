#pragma once

#include <string>
#include <vector>

#include "flow/environment.h"
#include "flow/reward.h"
#include "plugin/pool_options.h"

namespace hone {

/// A reward that is a program in any language: docs/plugins.md.
class ExecRewardSpec : public RewardSpec {
 public:
  enum class Dialect { json, text };
  std::vector<std::string> command;
  Dialect dialect = Dialect::json;
  std::vector<std::string> fields{"completion"};
  PoolOptions options;

  void describe_reward(Fields& f) override;
  std::unique_ptr<Reward> make(const Services& services) const override;
};

/// An environment that is a program in any language.
class ExecEnvironmentSpec : public EnvironmentSpec {
 public:
  std::vector<std::string> command;
  PoolOptions options;

  void describe(Fields& f) override;
  std::unique_ptr<Environment> make(const Services& services) const override;
};

}  // namespace hone
