#include "plugin/library_spec.h"

#include "plugin/library.h"
#include "plugin/library_environment.h"
#include "plugin/library_reward.h"
#include "plugin/pool_environment.h"
#include "plugin/pool_reward.h"
#include "plugin/shared_object.h"

namespace hone {

namespace {

LibrarySettings settings_of(const std::string& name, const LibraryConfig& config, const Services& services) {
  return library_settings(name, config.options.config, services.seed);
}

}  // namespace

void LibraryConfig::describe(Fields& f) {
  f.field("library", library, "The file, or its name in HONE_PLUGIN_PATH or $XDG_DATA_HOME/hone/plugins.");
  f.required();
  f.field("isolate", isolate,
          "Runs it in processes of its own, where a crash costs an episode. false: in hone itself, where it ends the run.");
  options.describe(f);
}

std::vector<std::string> LibraryConfig::command() const {
  const std::filesystem::path path = find_library(library);
  check_shared_object(path);
  return {plugin_host().string(), "serve", path.string()};
}

std::unique_ptr<Reward> LibraryRewardSpec::make(const Services& services) const {
  const PoolOptions& options = config.options;
  if (config.isolate) {
    return std::make_unique<PoolReward>(options.worker(name, "reward", config.command(), services), options,
                                        plugin_key(services, name));
  }
  return std::make_unique<LibraryReward>(Library::open(find_library(config.library)), settings_of(name, config, services),
                                         options.workers, options.batch);
}

std::unique_ptr<Environment> LibraryEnvironmentSpec::make(const Services& services) const {
  const PoolOptions& options = config.options;
  if (config.isolate) {
    return std::make_unique<PoolEnvironment>(options.worker(name, "environment", config.command(), services), options,
                                             plugin_key(services, name));
  }
  return std::make_unique<LibraryEnvironment>(Library::open(find_library(config.library)),
                                              settings_of(name, config, services));
}

}  // namespace hone
