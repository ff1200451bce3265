#include "plugin/exec.h"

#include <algorithm>
#include <array>

#include "plugin/pool_environment.h"
#include "plugin/pool_reward.h"
#include "plugin/text_reward.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 2> dialects{"json", "text"};

void describe_command(Fields& f, std::vector<std::string>& command) {
  f.field("command", command, "The program and its arguments, started in the folder that hone was started in.");
  f.required();
  f.check(!command.empty(), "command", "expected a program, got an empty list");
}

}  // namespace

void ExecRewardSpec::describe_reward(Fields& f) {
  describe_command(f, command);
  f.choice("dialect", dialect, dialects,
           "json: JSON lines both ways, one process for many calls. text: NUL-separated texts in, one number a line out, "
           "a process a call.");
  f.field("fields", fields, "With `dialect: text`, what the program reads of each episode: completion, prompt, answer, seed.");
  f.check(!fields.empty() && std::ranges::all_of(fields, TextReward::knows), "fields",
          "expected some of completion, prompt, answer, seed");
  options.describe(f);
}

std::unique_ptr<Reward> ExecRewardSpec::make(const Services& services) const {
  WorkerSpec worker = options.worker(name, "reward", command, services);
  const std::uint64_t key = plugin_key(services, name);
  if (dialect == Dialect::text) return std::make_unique<TextReward>(std::move(worker), options, fields, key);
  return std::make_unique<PoolReward>(std::move(worker), options, key);
}

void ExecEnvironmentSpec::describe(Fields& f) {
  describe_command(f, command);
  options.describe(f);
}

std::unique_ptr<Environment> ExecEnvironmentSpec::make(const Services& services) const {
  return std::make_unique<PoolEnvironment>(options.worker(name, "environment", command, services), options,
                                           plugin_key(services, name));
}

}  // namespace hone
