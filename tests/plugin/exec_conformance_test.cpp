#include <doctest/doctest.h>

#include "plugin/child.h"
#include "plugin/exec.h"
#include "tests/conformance/environment_conformance.h"
#include "tests/conformance/reward_conformance.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("plugin: a program keeps the contract of a built-in reward") {
  ExecRewardSpec json, text;
  json.command = python_child("answer([len(i['completion']) for i in items])");
  json.options.workers = 2;
  text.command = {"bash", "-c", "while IFS= read -r -d '' text; do echo ${#text}; done"};
  text.dialect = ExecRewardSpec::Dialect::text;
  for (ExecRewardSpec* spec : {&json, &text}) check_reward(*spec, {.seed = 1}, {episode("a"), episode("bcd", answer(2))});
}

TEST_CASE("plugin: a program that must have a reference says so for the episode that lacks one") {
  ExecRewardSpec spec;
  spec.command = python_child(
      "answer([1 if i['reference'] else {'error': 'there is no reference'} for i in items])");
  check_missing_reference(spec, {}, episode("a", answer("a")));
}

TEST_CASE("plugin: a program keeps the contract of a built-in environment") {
  ExecEnvironmentSpec spec;
  spec.command = python_child(R"(
if 'prompts' in request:
    reply({'id': request['id'], 'prompts': [{'text': '%s %d %d' % (p['split'], p['index'], p['seed'])} for p in items]})
else:
    reply({'id': request['id'], 'steps': [{'reply': 'more'} if len(i.get('turns', [0])) < 2 else {} for i in items]})
)", "conformance", R"("size": {"train": 40, "held_out": 10})");
  check_environment(spec, {.seed = 1}, {.has_demonstrations = false, .most_turns = 2});
}
