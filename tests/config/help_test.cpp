#include "config/help.h"

#include <doctest/doctest.h>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

namespace {

std::string help(std::string_view path) {
  SampleConfig config;
  return help_text(sample_catalogs(), body_of(config), path);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("config/help: the root, a section, kinds, one kind, one field") {
  CHECK(has(help(""), "  model.dim: integer in [1, 8192] (default 64)\n      Width.\n"));
  CHECK(has(help(""), "  data.<name>.path: text (required)\n      The file.\n"));
  CHECK(help("model") ==
        "model: The network.\n"
        "  dim: integer in [1, 8192] (default 64)\n      Width.\n"
        "  dropout: number in [0, 1) (default 0)\n      Share of values dropped.\n"
        "  mode: sum | mean (default sum)\n      How parts combine.\n");
  CHECK(help("stages") ==
        "stages: What the run does, in order.\nlist of stages, kinds of stage:\n"
        "  sft: Trains on completions.\n  ppo: Trains on rewards.\n");
  CHECK(help("stages.sft").starts_with("stages.sft: Trains on completions.\n  data: text (required)\n"));
  CHECK(help("stages.ppo.rewards.exact_match.weight") ==
        "stages.ppo.rewards.exact_match.weight: \n  weight: number (default 1)\n      Factor in the sum.\n");
  CHECK(help("reward.sum").starts_with("reward.sum: Adds rewards.\n"));
  CHECK(help("data.train.path").starts_with("data.train.path: \n  path: text (required)\n"));
}

TEST_CASE("config/help: an unknown path names the nearest") {
  for (const auto& [path, message] : std::vector<std::pair<std::string, std::string>>{
           {"modle", "help: no key 'modle'; did you mean 'model'?"},
           {"model.dmi", "help: no key 'model.dmi'; did you mean 'dim'?"},
           {"stages.pop", "help: no key 'stages.pop'; did you mean 'ppo'?"}}) {
    try {
      (void)help(path);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK(error.what() == message);
    }
  }
}
