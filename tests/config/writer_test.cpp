#include "config/writer.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "config/document.h"
#include "config/reader.h"
#include "sample_config.h"

using namespace hone;
using namespace hone::test;

namespace {

Node resolved_form(SampleConfig& config) { return resolved(sample_catalogs(), body_of(config)); }

/// Writes, reads and resolves again.
std::string again(const std::string& yaml) {
  const ConfigFolder folder;
  SampleConfig config = folder.load(yaml);
  return to_yaml(resolved_form(config));
}

std::string random_text(Random& random) {
  static const std::vector<std::string> parts = {
      "a",      "B",  "0",    "9",        " ",      "  ",     "\n",     "\t",      "\"", "'", "\\",
      "#",      " #", ":",    ": ",       "-",      "- ",     "?",      "[",       "]",  "{", "}",
      ",",      "&",  "*",    "!",        "|",      ">",      "%",      "@",       "`",  "~", "é",
      "𝄞",      "\r", "\x01", "${env:X}", "$",      "true",   "null",   "1e5",     ".5", "=", "\x7f",
      "\u0085", "<<", "...",  "---",      "\u2028", "\uFEFF", "${env:", "$${env:", "yes"};
  std::string text;
  for (std::uint64_t i = random.below(6); i > 0; --i) text += parts[random.below(parts.size())];
  return text;
}

SampleConfig random_config(std::uint64_t seed) {
  Random random(seed);
  SampleConfig config;
  config.name = random_text(random);
  config.verbose = random.below(2) == 0;
  config.memory.count = static_cast<std::int64_t>(4096 + random.below(1ULL << 40));
  config.interval.count = 1e-3 + random.uniform() * 1e4;
  for (std::uint64_t i = random.below(4); i > 0; --i) config.stop.push_back(random_text(random));
  config.sizes.assign(random.below(3), static_cast<std::int64_t>(1 + random.next64() / 4));
  config.betas = {random.uniform(), random.uniform()};
  if (random.below(2) == 0) config.limit = static_cast<std::int64_t>(1 + random.below(1000));
  if (random.below(2) == 0) config.note = random_text(random);
  config.shares.emplace_back(random_text(random), random.normal());
  config.model.dropout = random.uniform();
  config.model.mode = random.below(2) == 0 ? Mode::sum : Mode::mean;
  config.phases.resize(random.below(3));
  config.data.emplace_back("d" + random_text(random), FileConfig{random_text(random), {{random_text(random), "x"}}});
  auto ppo = std::make_unique<PpoStage>();
  ppo->kind = "ppo";
  ppo->name = "rl";
  if (random.below(2) == 0) {
    auto reward = std::make_unique<ExactReward>();
    reward->kind = reward->name = "exact_match";
    reward->weight = random.normal();
    ppo->rewards.push_back(std::move(reward));
  }
  config.stages.push_back(std::move(ppo));
  return config;
}

}  // namespace

TEST_CASE("config/writer: the resolved file has every field in order") {
  const ConfigFolder folder;
  SampleConfig config = folder.load(
      "stop: [END, \"a: b\"]\nphases: [{steps: 3}]\ndata: {train: {path: a.jsonl}}\n"
      "stages: [{kind: ppo, rewards: [{kind: exact_match, name: answer}]}]\n");
  CHECK(to_yaml(resolved_form(config)) == R"(name: run
verbose: false
memory: 1MiB
interval: 5m
stop: [END, "a: b"]
sizes: [1, 2]
betas: [0.9, 0.999]
limit: null
note: null
shares: {}
model:
  dim: 64
  dropout: 0
  mode: sum
phases:
  - steps: 3
data:
  train:
    path: a.jsonl
    columns: {}
judge: null
stages:
  - kind: ppo
    name: ppo
    episodes: 64
    minibatch: 16
    target_kl: null
    rewards:
      - kind: exact_match
        name: answer
        weight: 1
        strip: true
)");
}

TEST_CASE("config/writer: reading a resolved file gives the same config") {
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SampleConfig config = random_config(seed);
    const Node form = resolved_form(config);
    const std::string yaml = to_yaml(form);
    INFO(yaml);
    const ConfigFolder folder;
    SampleConfig read = folder.load(yaml);
    const Node read_form = resolved_form(read);
    REQUIRE(differing_keys(form, read_form).empty());
    REQUIRE(to_yaml(read_form) == yaml);
    REQUIRE(read.name == config.name);
  }
}

TEST_CASE("config/writer: words that mean something else are quoted") {
  for (const char* word :
       {"null", "True", "no", "1e5", "0x", "-", "- a", "", " a", "a ", "#", "a: b", "---", "=", "1"}) {
    const std::string yaml = to_yaml_line(Node::scalar(word, true));
    CHECK(yaml == fmt::format("\"{}\"", word));
  }
  CHECK(to_yaml_line(Node::scalar("data/a-b.jsonl", true)) == "data/a-b.jsonl");
  CHECK(again("name: \"${env:HOME:-x}\"").find("name: \"${env") == std::string::npos);
  CHECK(again("name: $${env:HOME}").find("name: \"$${env:HOME}\"") == 0);
}

TEST_CASE("config/writer: differing keys are named by their paths") {
  const ConfigFolder folder;
  const std::string base = "model: {dim: 8}\nstages: [{kind: sft, data: x}, {kind: ppo}]\n";
  SampleConfig first = folder.load(base);
  SampleConfig same = folder.load(base, {"model.dim=8.0", "interval=300s"});
  CHECK(differing_keys(resolved_form(first), resolved_form(same)).empty());
  SampleConfig other = folder.load(base, {"model.dim=9", "stages.sft.batch=2", "sizes=[1]", "limit=3", "shares={a: 1}",
                                          "judge={kind: sum, parts: []}"});
  CHECK(differing_keys(resolved_form(first), resolved_form(other)) ==
        std::vector<std::string>{"sizes", "limit", "shares.a", "model.dim", "judge", "stages.sft.batch"});
}
