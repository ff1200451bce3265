#include "app/sweep_trials.h"

#include <filesystem>

#include "io/file.h"
#include "support/error_of.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

namespace {

namespace fs = std::filesystem;

/// Stands for hone: `run FILE run.name=N run.directory=D a=A [steps=S]` reports A·10 − S as the loss, fails for a = 3, and is
/// stopped for a = 4 as long as there is a file of that name. Each call is a line in the file calls.
constexpr std::string_view program = R"(#!/bin/bash
steps=0
for word in "${@:3}"; do
  case $word in run.name=*) name=${word#*=} ;; run.directory=*) folder=${word#*=} ;; a=*) a=${word#*=} ;; steps=*) steps=${word#*=} ;; esac
done
echo "$name" >>"$(dirname "$0")/calls"
[ "$a" != 3 ] || { echo 'no such thing' >&2; exit 65; }
[ "$a" != 4 ] || [ ! -e "$(dirname "$0")/stop" ] || exit 130
mkdir -p "$folder/$name/checkpoints/sft/final"
printf 'stages:\n  - kind: sft\n    name: sft\n' >"$folder/$name/config.yaml"
printf '{"stage":"sft","step":1,"seconds":1,"eval/loss":99}\n{"stage":"sft","step":2,"seconds":2,"eval/loss":%s}\n' \
  $((a * 10 - steps)) >"$folder/$name/metrics.jsonl"
)";

struct Place {
  Place() {
    hone = scratch.file("hone", program);
    fs::permissions(hone, fs::perms::owner_all);
  }
  Sweep sweep(const std::string& rest) {
    const fs::path file = scratch.file("a.yaml", "run: base.yaml\ndirectory: " + (scratch.path() / "out").string() +
                                                     "\nmetric: {stage: sft, name: eval/loss, goal: min}\n" + rest);
    return Sweep(load_sweep(file), hone.string());
  }
  std::string calls() const { return read_file(scratch.path() / "calls"); }

  test::Scratch scratch;
  fs::path hone;
};

}  // namespace

TEST_CASE("app: a sweep runs every trial once, goes on where it was stopped, and ranks what it measured") {
  Place place;
  const std::string grid = "parameters: {a: [5, 3, 4, 2]}\n";
  place.scratch.file("stop", "");
  HONE_CHECK_ERROR(stopped, place.sweep(grid).run(), "trial_003 was stopped", "run the same command to go on");
  CHECK(place.calls() == "trial_001\ntrial_002\ntrial_003\n");
  fs::remove(place.scratch.path() / "stop");
  Sweep sweep = place.sweep(grid);
  const std::vector<SweepTrial>& trials = sweep.run();
  CHECK(place.calls() == "trial_001\ntrial_002\ntrial_003\ntrial_002\ntrial_003\ntrial_004\n");  // what failed is tried again
  REQUIRE(trials.size() == 4);
  CHECK(trials[0].value == 50);
  CHECK(trials[1].status.starts_with("exit code 65, see "));
  CHECK_FALSE(trials[1].value.has_value());
  const std::string table = sweep.table();
  CHECK(table.find("trial_004") < table.find("trial_003"));
  CHECK(table.find("trial_001") < table.find("trial_002"));
  const std::string results = read_file(place.scratch.path() / "out" / "results.jsonl");
  CHECK(results.find(R"({"trial":"trial_004","status":"finished","value":20.0,"overrides":{"a":"2"}})") != std::string::npos);
  CHECK(read_file(place.scratch.path() / "out" / "trial_002.log").find("no such thing") != std::string::npos);
  HONE_CHECK_ERROR(config, place.sweep("parameters: {a: [7]}\n"), "holds a sweep with other trials");
  place.sweep("parameters: {a: [5, 3, 4, 2, 6]}\n").run();
  CHECK(place.calls().ends_with("trial_002\ntrial_005\n"));
}

TEST_CASE("app: halving gives the better part of the trials more") {
  Place place;
  Sweep sweep = place.sweep("method: halving\ntrials: 6\nparameters: {a: {low: 5, high: 90, integer: true}}\n"
                            "resource: {key: steps, low: 1, high: 4, factor: 2}\n");
  const std::vector<SweepTrial>& trials = sweep.run();
  REQUIRE(trials.size() == 6 + 3 + 1);
  double best = 1000;
  for (std::size_t i = 0; i < 6; ++i) best = std::min(best, *trials[i].value);
  CHECK(trials[6].name.ends_with("_of_2"));
  CHECK(*trials[6].value == best - 1);
  CHECK(trials[9].name.ends_with("_of_4"));
  CHECK(*trials[9].value == best - 3);
  CHECK(sweep.table().find("trial") < sweep.table().find(trials[9].name));
}

TEST_CASE("app: a sweep over a metric that no run reports says so") {
  Place place;
  const fs::path file = place.scratch.file("b.yaml", "run: base.yaml\ndirectory: " + (place.scratch.path() / "out").string() +
                                                         "\nmetric: {stage: sft, name: eval/acuracy, goal: max}\nparameters: {a: [1]}\n");
  HONE_CHECK_ERROR(config, Sweep(load_sweep(file), place.hone.string()).run(), "never reported eval/acuracy", "metrics.jsonl");
}

}  // namespace hone
