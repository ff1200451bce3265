#include <cstdio>

#include "app/catalog.h"
#include "app/commands.h"
#include "app/root_config.h"
#include "config/help.h"
#include "config/reference.h"
#include "config/schema.h"
#include "config/writer.h"

namespace hone {

namespace {

Fields::Body describe_root(RootConfig& config) {
  return [&config](Fields& f) { config.describe(f); };
}

}  // namespace

void command_config_show(const FileCommand& command) {
  RootConfig config = load_root(command.file, command.overrides);
  std::fputs(to_yaml(resolved(built_in(), describe_root(config))).c_str(), stdout);
}

void command_config_schema() {
  RootConfig config;
  std::puts(json_schema(built_in(), describe_root(config)).dump(2).c_str());
}

void command_config_docs() {
  RootConfig config;
  std::fputs(reference_markdown(built_in(), describe_root(config)).c_str(), stdout);
}

void command_config_help(const std::string& path) {
  RootConfig config;
  std::fputs(help_text(built_in(), describe_root(config), path).c_str(), stdout);
}

}  // namespace hone
