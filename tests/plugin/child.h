#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "plugin/pool_options.h"
#include "plugin/pool_reward.h"
#include "support/episodes.h"

namespace hone::test {

/// A Python child that says hello and then runs `body` for each request: `request` is the parsed line, `items` its items,
/// reply(value) writes a line of JSON, raw(text) writes what it is given. `marker` makes its processes findable.
inline std::vector<std::string> python_child(const std::string& body, const std::string& marker = "hone-test-child",
                                             const std::string& hello = R"("scope": "sample")") {
  std::string indented;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) indented += "    " + line + "\n";
  return {"python3", "-c",
          "import json, math, os, random, signal, subprocess, sys, time\n"
          "out = os.fdopen(int(os.environ['HONE_REPLY_FD']), 'w') if 'HONE_REPLY_FD' in os.environ else sys.stdout\n"
          "def raw(text):\n    out.write(text)\n    out.flush()\n"
          "def reply(value): raw(json.dumps(value) + '\\n')\n"
          "greeting = json.loads(sys.stdin.readline())['hello']\n"
          "reply({'hello': {'protocol': 1, 'name': 'child', 'kind': greeting['kind'], " + hello + "}})\n"
          "for line in sys.stdin:\n"
          "    request = json.loads(line)\n"
          "    items = request.get('score') or request.get('steps') or request.get('prompts')\n"
          "    def answer(scores): reply({'id': request['id'], 'scores': scores})\n" +
              indented,
          marker};
}

/// Episodes with these completions, each a group of its own.
inline std::vector<Episode> completions(const std::vector<std::string>& texts) {
  std::vector<Episode> episodes;
  for (const std::string& text : texts) {
    Episode made = in_group(static_cast<std::int64_t>(episodes.size()), episode(text, answer("ref")));
    made.prompt.id = 2 * episodes.size();
    episodes.push_back(std::move(made));
  }
  return episodes;
}

inline std::unique_ptr<PoolReward> pool_of(std::vector<std::string> command, PoolOptions options = {}) {
  return std::make_unique<PoolReward>(options.worker("judge", "reward", std::move(command), {}), options,
                                      plugin_key({}, "judge"));
}

/// Living processes whose command line holds the marker.
inline int processes_with(const std::string& marker) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (text.str().find(marker) != std::string::npos) ++found;
  }
  return found;
}

}  // namespace hone::test
