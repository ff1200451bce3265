#include "config/reader.h"

#include <doctest/doctest.h>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("config/reader: every type of field") {
  const ConfigFolder folder;
  const SampleConfig config = folder.load(R"(
name: "first run"
verbose: true
memory: 64MiB
interval: 5m
stop: ["\n", END]
sizes: [1e6, 1_000_000, 3]
betas: [0.5, 1]
limit: 10
note: 12
shares: {web: 0.25, books: .75}
model: {dim: 128, dropout: 0.1, mode: mean}
phases:
  - steps: 5
  - {}
data:
  train: {path: a.jsonl, columns: {text: sentence, label: y}}
judge: {kind: exact_match, strip: false}
stages:
  - {kind: sft, data: train, learning_rate: 1e-3}
  - kind: ppo
    name: ppo-1
    target_kl: 0.02
    rewards:
      - kind: sum
        parts: [{kind: exact_match, weight: 2}]
)");
  CHECK(config.name == "first run");
  CHECK(config.verbose);
  CHECK(config.memory.count == 64 << 20);
  CHECK(config.interval.count == 300.0);
  CHECK(config.stop == std::vector<std::string>{"\n", "END"});
  CHECK(config.sizes == std::vector<std::int64_t>{1000000, 1000000, 3});
  CHECK(config.betas == std::vector<double>{0.5, 1.0});
  CHECK(config.limit == 10);
  CHECK(config.note == "12");
  CHECK(config.shares == std::vector<std::pair<std::string, double>>{{"web", 0.25}, {"books", 0.75}});
  CHECK(config.model.dim == 128);
  CHECK(config.model.mode == Mode::mean);
  REQUIRE(config.phases.size() == 2);
  CHECK(config.phases[0].steps == 5);
  CHECK(config.phases[1].steps == 1);
  CHECK(config.data.at(0).second.columns ==
        std::vector<std::pair<std::string, std::string>>{{"text", "sentence"}, {"label", "y"}});
  CHECK_FALSE(dynamic_cast<const ExactReward&>(*config.judge).strip);
  REQUIRE(config.stages.size() == 2);
  CHECK(config.stages[0]->kind == "sft");
  CHECK(config.stages[0]->name == "sft");
  CHECK(dynamic_cast<const SftStage&>(*config.stages[0]).learning_rate == 1e-3);
  const auto& ppo = dynamic_cast<const PpoStage&>(*config.stages[1]);
  CHECK(ppo.name == "ppo-1");
  CHECK(ppo.target_kl == 0.02);
  const auto& sum = dynamic_cast<const SumReward&>(*ppo.rewards.at(0));
  CHECK(dynamic_cast<const ExactReward&>(*sum.parts.at(0)).weight == 2.0);
}

TEST_CASE("config/reader: what the file does not name keeps its default; null unsets") {
  const ConfigFolder folder;
  const SampleConfig config = folder.load("verbose: false\nmodel:\nlimit: null\nnote: ~\njudge: null\n");
  CHECK(config.name == "run");
  CHECK(config.sizes == std::vector<std::int64_t>{1, 2});
  CHECK(config.model.dim == 64);
  CHECK_FALSE(config.limit.has_value());
  CHECK_FALSE(config.note.has_value());
  CHECK(config.judge == nullptr);
}

TEST_CASE("config/reader: an unknown key names the nearest known one, at its own place") {
  const ConfigFolder folder;
  CHECK(folder.error("model:\n  dmi: 3\n") == "run.yaml:2:3: model.dmi: unknown key; did you mean 'dim'?");
  CHECK(folder.error("model: {width: 3}\n") == "run.yaml:1:9: model.width: unknown key; known: dim, dropout, mode");
  CHECK(folder.error("stages:\n  - {kind: sft, data: x, lerning_rate: 1}\n") ==
        "run.yaml:2:26: stages.sft.lerning_rate: unknown key; did you mean 'learning_rate'?");
}

TEST_CASE("config/reader: a wrong type says what was expected and what was found") {
  const ConfigFolder folder;
  CHECK(folder.error("verbose: yes") == "run.yaml:1:10: verbose: expected true or false, got 'yes'");
  CHECK(folder.error("model: {dim: 1.5}") == "run.yaml:1:14: model.dim: expected an integer in [1, 8192], got '1.5'");
  CHECK(folder.error("model: {dim: \"8\"}") ==
        "run.yaml:1:14: model.dim: expected an integer in [1, 8192], got text \"8\" (remove the quotes)");
  CHECK(folder.error("model: {dim: [8]}") == "run.yaml:1:14: model.dim: expected an integer in [1, 8192], got a list");
  CHECK(folder.error("model: [1]") == "run.yaml:1:8: model: expected a map, got a list");
  CHECK(folder.error("betas: [0.5, x]") == "run.yaml:1:14: betas.1: expected a number in [0, 1], got 'x'");
  CHECK(folder.error("betas: 0.5") == "run.yaml:1:8: betas: expected a list, got '0.5'");
  CHECK(folder.error("shares: {a: .nan}") == "run.yaml:1:13: shares.a: expected a number, got '.nan'");
  CHECK(folder.error("name: [a]") == "run.yaml:1:7: name: expected text, got a list");
  CHECK(folder.error("name:") == "run.yaml:1:1: name: expected text, got nothing (write \"\" for empty text)");
  CHECK(folder.error("memory: 64 MiBs") == "run.yaml:1:9: memory: expected a size such as 64MiB ≥ 4KiB, got '64 MiBs'");
  CHECK(folder.error("interval: 5min") == "run.yaml:1:11: interval: expected a time such as 90s or 5m > 0, got '5min'");
  CHECK(folder.error("stages: {sft: 1}") == "run.yaml:1:9: stages: expected a list, one stage each, got a map");
}

TEST_CASE("config/reader: a value out of bounds says the bounds") {
  const ConfigFolder folder;
  CHECK(folder.error("model:\n  dropout: 1\n") == "run.yaml:2:12: model.dropout: expected a number in [0, 1), got '1'");
  CHECK(folder.error("memory: 1KiB") == "run.yaml:1:9: memory: expected a size such as 64MiB ≥ 4KiB, got '1KiB'");
  CHECK(folder.error("sizes: [3, 0]") == "run.yaml:1:12: sizes.1: expected an integer ≥ 1, got '0'");
  CHECK(folder.error("limit: 99999999999999999999") ==
        "run.yaml:1:8: limit: expected an integer ≥ 1, got '99999999999999999999'");
}

TEST_CASE("config/reader: choices and kinds suggest the nearest word") {
  const ConfigFolder folder;
  CHECK(folder.error("model: {mode: maen}") ==
        "run.yaml:1:15: model.mode: expected one of sum, mean, got 'maen'; did you mean 'mean'?");
  CHECK(folder.error("judge: {kind: exact-match}") ==
        "run.yaml:1:15: judge.kind: expected a kind of reward, got 'exact-match'; did you mean 'exact_match'?");
  CHECK(folder.error("judge: {strip: true}") ==
        "run.yaml:1:8: judge.kind: expected the kind of reward, got nothing; known: exact_match, sum");
  CHECK(folder.error("judge: sum") == "run.yaml:1:8: judge: expected a map with `kind:`, got 'sum'; write {kind: sum}");
}

TEST_CASE("config/reader: required keys, repeated names, names that cannot be addressed") {
  const ConfigFolder folder;
  CHECK(folder.error("stages:\n  - kind: sft\n") ==
        "run.yaml:2:5: stages.sft.data: expected a value, got nothing: this key is required");
  CHECK(folder.error("data: {train: {}}") ==
        "run.yaml:1:15: data.train.path: expected a value, got nothing: this key is required");
  CHECK(folder.error("stages:\n  - {kind: ppo}\n  - {kind: ppo}\n") ==
        "run.yaml:3:5: stages.ppo: expected a unique name, got 'ppo' again (first at run.yaml:2:5); give this stage a "
        "`name:` of its own");
  CHECK(folder.error("stages:\n  - {kind: ppo, name: a.b}\n")
            .find("run.yaml:2:23: stages.a.b.name: expected letters, digits, _ and -, got 'a.b'") == 0);
}

TEST_CASE("config/reader: rules between fields, unless a field beside them is wrong already") {
  const ConfigFolder folder;
  CHECK(folder.error("stages:\n  - {kind: ppo, minibatch: 65}\n") ==
        "run.yaml:2:28: stages.ppo.minibatch: a minibatch cannot hold more than `episodes`");
  CHECK(folder.error("stages:\n  - {kind: ppo, minibatch: 65, episodes: x}\n") ==
        "run.yaml:2:42: stages.ppo.episodes: expected an integer ≥ 1, got 'x'");
}

TEST_CASE("config/reader: all problems of a file at once, in the order of its lines") {
  const ConfigFolder folder;
  CHECK(folder.error("stages:\n"
                     "  - {kind: pop}\n"
                     "  - {kind: sft, batch: 0}\n"
                     "nmae: x\n"
                     "model: {dim: a}\n"
                     "model: {}\n"
                     "verbose: 1\n") ==
        "run.yaml:2:12: stages.pop.kind: expected a kind of stage, got 'pop'; did you mean 'ppo'?\n"
        "run.yaml:3:5: stages.sft.data: expected a value, got nothing: this key is required\n"
        "run.yaml:3:24: stages.sft.batch: expected an integer ≥ 1, got '0'\n"
        "run.yaml:4:1: nmae: unknown key; did you mean 'name'?\n"
        "run.yaml:5:14: model.dim: expected an integer in [1, 8192], got 'a'\n"
        "run.yaml:6:1: model: duplicate key, first used in line 5\n"
        "run.yaml:7:10: verbose: expected true or false, got '1'");
  std::string many;
  for (int i = 0; i < 150; ++i) many += fmt::format("unknown_{}: 1\n", i);
  const std::string message = folder.error(many);
  CHECK(message.ends_with("\n… and 50 more problems"));
}
