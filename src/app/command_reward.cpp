#include "app/commands.h"
#include "app/experiment.h"
#include "app/root_config.h"
#include "base/error.h"
#include "base/log.h"
#include "base/stop.h"
#include "server/reward_server.h"

#include <algorithm>
#include <cstdlib>

namespace hone {

namespace {

/// The reward called `name` of the file's stages; with one reward in all, no name is needed.
const RewardSpec& find_reward(const RootConfig& config, const std::string& name) {
  std::vector<std::string> names;
  const RewardSpec* found = nullptr;
  for (const auto& stage : config.stages) {
    for (const auto& reward : stage->rewards()) {
      if (!std::ranges::count(names, reward->name)) names.push_back(reward->name);
      if (found == nullptr && (name.empty() || reward->name == name)) found = reward.get();
    }
  }
  if (found == nullptr || (name.empty() && names.size() > 1)) {
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    fail(ErrorKind::usage, "--reward: expected the name of a reward of the file; it has {}", known.empty() ? "none" : known);
  }
  return *found;
}

std::string token_from(const std::string& variable) {
  if (variable.empty()) return "";
  const char* token = std::getenv(variable.c_str());
  if (token == nullptr || *token == 0) {
    fail(ErrorKind::usage, "--token-env: the environment variable {} is not set", variable);
  }
  return token;
}

}  // namespace

void command_reward_serve(const ServeReward& command) {
  const RootConfig config = load_root(command.file.file, command.file.overrides);
  const RewardSpec& spec = find_reward(config, command.reward);
  const std::string token = token_from(command.token_env);
  prepare_process(config.run.threads);
  const StopSignals signals(config.run.stop_grace.count);
  const std::unique_ptr<Run> run = prepare_run(config);
  const std::unique_ptr<Reward> reward = spec.make(run->services());
  RewardServer server(*reward, {.name = spec.name,
                                .address = command.address,
                                .port = static_cast<std::uint16_t>(command.port),
                                .token = token});
  log_info("{} is served at http://{}:{}/v1/score; Ctrl-C ends it", spec.name, command.address, server.port());
  server.run([] { return stop_signal() != 0; });
  const RewardServer::Counts counts = server.counts();
  log_info("{} requests, {} episodes scored, {} refused", counts.requests, counts.scored, counts.refused);
}

}  // namespace hone
