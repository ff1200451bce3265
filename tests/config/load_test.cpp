#include "config/load.h"

#include <doctest/doctest.h>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

namespace {

/// Sets a variable for one test case.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("config/load: a file that cannot be read, an empty one, one that is no map") {
  const ConfigFolder folder;
  CHECK(folder.error_of_file("/nonexistent/run.yaml") ==
        "/nonexistent/run.yaml: cannot read the configuration file: No such file or directory");
  CHECK(folder.error_of_file("/tmp") == "/tmp: cannot read the configuration file: it is a directory");
  CHECK(folder.error("") == "run.yaml:1:1: expected a map of keys, got nothing: the file is empty");
  CHECK(folder.error("- a\n") == "run.yaml:1:1: expected a map of keys, got a list");
}

TEST_CASE("config/load: overrides reach keys, elements by name and by index") {
  const ConfigFolder folder;
  const std::string text = "model: {dim: 8}\nstages:\n  - {kind: sft, data: x}\n  - {kind: ppo, name: rl}\n";
  const SampleConfig config = folder.load(
      text, {"model.dim=1_024", "model.mode=mean", "stages.sft.learning_rate=1e-2", "stages.rl.episodes=128",
             "stages.1.minibatch=32", "sizes=[4, 5]", "data.train.path=a.jsonl", "note=a b",
             "name="
             "\"\""});
  CHECK(config.model.dim == 1024);
  CHECK(config.model.mode == Mode::mean);
  CHECK(dynamic_cast<const SftStage&>(*config.stages[0]).learning_rate == 1e-2);
  CHECK(dynamic_cast<const PpoStage&>(*config.stages[1]).episodes == 128);
  CHECK(dynamic_cast<const PpoStage&>(*config.stages[1]).minibatch == 32);
  CHECK(config.sizes == std::vector<std::int64_t>{4, 5});
  CHECK(config.data.at(0).second.path == "a.jsonl");
  CHECK(config.note == "a b");
  CHECK(config.name == "");
}

TEST_CASE("config/load: wrong overrides are named with the command line") {
  const ConfigFolder folder;
  const std::string text = "model: {dim: 8}\nstages:\n  - {kind: sft, data: x}\n  - {kind: ppo, name: rl}\n";
  CHECK(folder.error(text, {"model.dmi=3"}) ==
        "command line: model.dmi=3: model.dmi: unknown key; did you mean 'dim'?");
  CHECK(folder.error(text, {"model.dim=0"}) ==
        "command line: model.dim=0: model.dim: expected an integer in [1, 8192], got '0'");
  CHECK(folder.error(text, {"stages.sfft.batch=1"}) ==
        "command line: stages.sfft.batch=1: stages.sfft: no such element in the list at run.yaml:3:3; did you mean "
        "'sft'?");
  CHECK(folder.error(text, {"stages.2.batch=1"}) ==
        "command line: stages.2.batch=1: stages.2: no such element in the list at run.yaml:3:3; known: sft, rl");
  CHECK(folder.error(text, {"model.dim.x=1"}) ==
        "command line: model.dim.x=1: model.dim.x: 'model.dim' is '8' at run.yaml:1:14, it has no keys");
  CHECK(folder.error(text, {"model.dim"}) == "command line: model.dim: expected key.path=value");
  CHECK(folder.error(text, {"model..dim=3"}) == "command line: model..dim=3: expected key.path=value");
  CHECK(folder.error(text, {"model.dim=[1"}).starts_with("command line: model.dim=[1:1:"));
  CHECK(folder.error("nmae: x\nmodel: {dim: 8}\n", {"sizs=3", "model.dim=a"}) ==
        "run.yaml:1:1: nmae: unknown key; did you mean 'name'?\n"
        "command line: model.dim=a: model.dim: expected an integer in [1, 8192], got 'a'\n"
        "command line: sizs=3: sizs: unknown key; did you mean 'sizes'?");
}

TEST_CASE("config/load: extends merges maps deeply and stages by name, other lists are replaced") {
  const ConfigFolder folder;
  folder.write("base/root.yaml", "name: base\nverbose: true\nmodel: {dim: 8, dropout: 0.5}\n");
  folder.write("base/middle.yaml",
               "extends: root.yaml\nsizes: [7, 8, 9]\nmodel: {dim: 16}\njudge: {kind: sum, parts: []}\n"
               "stages:\n  - {kind: sft, data: x, batch: 4}\n  - {kind: ppo, name: rl, episodes: 128}\n");
  const SampleConfig config = folder.load(
      "extends: base/middle.yaml\nname: top\nsizes: [1]\njudge: {kind: exact_match}\n"
      "stages:\n  - {name: rl, minibatch: 8}\n  - {name: sft, learning_rate: 1}\n  - {kind: ppo}\n");
  CHECK(config.name == "top");
  CHECK(config.verbose);
  CHECK(config.model.dim == 16);
  CHECK(config.model.dropout == 0.5);
  CHECK(config.sizes == std::vector<std::int64_t>{1});
  CHECK(config.judge->kind == "exact_match");
  REQUIRE(config.stages.size() == 3);
  CHECK(dynamic_cast<const SftStage&>(*config.stages[0]).batch == 4);
  CHECK(dynamic_cast<const SftStage&>(*config.stages[0]).learning_rate == 1.0);
  CHECK(dynamic_cast<const PpoStage&>(*config.stages[1]).episodes == 128);
  CHECK(dynamic_cast<const PpoStage&>(*config.stages[1]).minibatch == 8);
  CHECK(config.stages[2]->name == "ppo");
}

TEST_CASE("config/load: errors point into the file where the value stands") {
  const ConfigFolder folder;
  folder.write("base.yaml", "# a comment\nmodel:\n  dim: many\n");
  CHECK(folder.error("extends: base.yaml\nverbose: 3\n") ==
        "run.yaml:2:10: verbose: expected true or false, got '3'\n"
        "base.yaml:3:8: model.dim: expected an integer in [1, 8192], got 'many'");
  CHECK(folder.error("extends: base.yaml\nmodel: {dim: 3}\n") == "no error");
}

TEST_CASE("config/load: extends that cannot work") {
  const ConfigFolder folder;
  CHECK(folder.error("name: x\nextends: gone.yaml\n") ==
        "run.yaml:2:10: extends: cannot read gone.yaml: No such file or directory");
  CHECK(folder.error("extends: run.yaml\n") == "run.yaml:1:10: extends: run.yaml extends itself through this file");
  folder.write("sub/b.yaml", "name: b\nextends: ../run.yaml\n");
  CHECK(folder.error("extends: sub/b.yaml\n") == "sub/b.yaml:2:10: extends: run.yaml extends itself through this file");
  CHECK(folder.error("extends: [a, b]\n") == "run.yaml:1:10: extends: expected a file name, got a list");
  folder.write("empty.yaml", "");
  CHECK(folder.error("extends: empty.yaml\n") ==
        "empty.yaml:1:1: expected a map of keys, got nothing: the file is empty");
}

TEST_CASE("config/load: environment variables") {
  const ConfigFolder folder;
  const Variable dim("HONE_TEST_DIM", "32"), base("HONE_TEST_BASE", "base");
  folder.write("base.yaml", "verbose: true\n");
  const SampleConfig config = folder.load(
      "extends: ${env:HONE_TEST_BASE}.yaml\n"
      "model: {dim: \"${env:HONE_TEST_DIM}\", dropout: \"${env:HONE_TEST_UNSET:-0.5}\"}\n"
      "name: run-${env:HONE_TEST_DIM}-${env:HONE_TEST_UNSET:-x}\n"
      "note: costs $5, not $${env:HONE_TEST_DIM}\n");
  CHECK(config.verbose);
  CHECK(config.model.dim == 32);
  CHECK(config.model.dropout == 0.5);
  CHECK(config.name == "run-32-x");
  CHECK(config.note == "costs $5, not ${env:HONE_TEST_DIM}");
  CHECK(folder.load("name: a\n", {"name=${env:HONE_TEST_DIM}"}).name == "32");
}

TEST_CASE("config/load: a variable that is not set is one problem, beside the others") {
  const ConfigFolder folder;
  CHECK(folder.error("interval: ${env:HONE_TEST_UNSET}\nverbose: 3\n") ==
        "run.yaml:1:11: interval: the environment variable 'HONE_TEST_UNSET' is not set; set it or write "
        "${env:HONE_TEST_UNSET:-default}\n"
        "run.yaml:2:10: verbose: expected true or false, got '3'");
  CHECK(folder.error("name: ${env:OPEN\n") ==
        "run.yaml:1:7: name: '${env:' is not closed; write ${env:NAME}, or $${env: for the text itself");
  const Variable broken("HONE_TEST_BROKEN", "\xff");
  CHECK(folder.error("name: ${env:HONE_TEST_BROKEN}\n") ==
        "run.yaml:1:7: name: the environment variable 'HONE_TEST_BROKEN' is not valid UTF-8");
  CHECK(folder.error("interval: ${env:HONE_TEST_UNSET}\n", {"interval=3s"}) == "no error");
}
