#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "plugin/child.h"
#include "plugin/exec.h"
#include "plugin/pool_environment.h"
#include "plugin/text_reward.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

PoolOptions quick(double timeout = 20) {
  PoolOptions options;
  options.timeout = {timeout};
  return options;
}

std::vector<Score> text_scores(const std::string& script, std::vector<std::string> fields = {"completion"},
                               double timeout = 20) {
  const PoolOptions options = quick(timeout);
  TextReward reward(options.worker("shell", "reward", {"bash", "-c", script}, {}), options, std::move(fields),
                    plugin_key({}, "shell"));
  return reward.score(completions({"a", "two\nlines", ""}));
}

}  // namespace

TEST_CASE("plugin: a child scores what it is sent, in order, and prints do not disturb it") {
  const auto reward = pool_of(python_child(R"(
print('a stray print')
print('to stderr', file=sys.stderr)
reply({'log': 'scoring', 'level': 'info'})
reply({'metric': {'seen': len(items)}})
answer([len(item['completion']) / 3 for item in items])
)"));
  CHECK(reward->scope() == RewardScope::sample);
  CHECK(reward->calls_at_once() == 1);
  const std::vector<Score> scores = reward->score(completions({"a", "bb", "ßß", ""}));
  REQUIRE(scores.size() == 4);
  CHECK(scores[0].value == 1.0 / 3);
  CHECK(scores[1].value == 2.0 / 3);
  CHECK(scores[2].value == 2.0 / 3);
  CHECK(scores[3].value == 0);
  const auto metrics = reward->take_metrics();
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0] == std::pair<std::string, double>{"seen", 4});
}

TEST_CASE("plugin: a child gets the run's name, its settings, and a seed for each item that no batch changes") {
  PoolOptions options = quick();
  options.config = {{"key", "value"}};
  options.workers = 2;
  const auto reward = pool_of(python_child(R"(
assert greeting['name'] == 'judge' and greeting['config'] == {'key': 'value'} and greeting['protocol'] == 1
answer([item['seed'] for item in items])
)"), options);
  const std::vector<Episode> episodes = completions({"a", "b", "c"});
  const std::vector<Score> together = reward->score(episodes);
  std::set<double> seeds;
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    CHECK(together[i].status == ScoreStatus::ok);
    CHECK(together[i].value == static_cast<double>(episode_seed(plugin_key({}, "judge"), episodes[i])));
    CHECK(reward->score(std::span(episodes).subspan(i, 1))[0].value == together[i].value);
    seeds.insert(together[i].value);
  }
  CHECK(seeds.size() == 3);
}

TEST_CASE("plugin: replies on stdout, for languages without descriptors") {
  const PoolOptions options = quick();
  WorkerSpec spec = options.worker("judge", "reward", python_child("answer([1.5 for item in items])"), {});
  spec.process.separate_replies = false;
  PoolReward reward(spec, options, 0);
  CHECK(reward.score(completions({"a"}))[0].value == 1.5);
}

TEST_CASE("plugin: what cannot start is told at once, with its own words") {
  HONE_CHECK_ERROR(service, pool_of({"/nowhere/to/be/found"}), "judge", "/nowhere/to/be/found", "No such file");
  HONE_CHECK_ERROR(service, pool_of({"python3", "-c", "import no_such_module"}), "exit code 1", "no_such_module");
  HONE_CHECK_ERROR(service, pool_of({"echo", "hello"}), "ended with exit code 0");
  HONE_CHECK_ERROR(service, pool_of({"sh", "-c", "echo '{\"error\": \"no key\"}' >&3"}), "no key");
  HONE_CHECK_ERROR(service, pool_of({"sh", "-c", "echo garbage >&3; sleep 100"}), "not JSON", "garbage");
  HONE_CHECK_ERROR(service, pool_of({"sh", "-c", "echo '{\"hello\": {\"protocol\": 99, \"kind\": \"reward\"}}' >&3"}),
                   "protocol 99", "speaks 1");
  PoolOptions impatient;
  impatient.start_timeout = {0.2};
  HONE_CHECK_ERROR(service, pool_of({"sleep", "100"}, impatient), "took too long to start");
  HONE_CHECK_ERROR(service, pool_of({"sh", "-c", "echo '{\"hello\": {\"protocol\": 1, \"kind\": \"environment\"}}' >&3"}),
                   "kind reward", "environment");
}

TEST_CASE("plugin: the text dialect is a line a completion") {
  const std::vector<Score> lengths = text_scores("while IFS= read -r -d '' text; do echo ${#text}; done");
  REQUIRE(lengths.size() == 3);
  CHECK(lengths[0].value == 1);
  CHECK(lengths[1].value == 9);
  CHECK(lengths[2].value == 0);
  const std::vector<Score> both = text_scores(
      "while IFS= read -r -d '' p && IFS= read -r -d '' t && IFS= read -r -d '' a; do "
      "[ \"$p\" = prompt ] && [ \"$a\" = ref ] && echo 0.1 || echo error wrong; done",
      {"prompt", "completion", "answer"});
  for (const Score& score : both) CHECK(score.value == 0.1);
  const std::vector<Score> mixed = text_scores("cat > /dev/null; echo ' -1e-3 '; echo abstain; echo error because");
  CHECK(mixed[0].value == -1e-3);
  CHECK(mixed[1].status == ScoreStatus::abstain);
  CHECK(mixed[2].status == ScoreStatus::error);
  CHECK(mixed[2].note == "because");
}

TEST_CASE("plugin: in the text dialect a wrong number of lines, a word, a failure and a hang are errors") {
  const auto all = [](const std::vector<Score>& scores, const std::string& reason, const std::string& part) {
    REQUIRE(scores.size() == 3);
    for (const Score& score : scores) {
      CHECK(score.status == ScoreStatus::error);
      CHECK(score.reason == reason);
      CHECK(score.note.find(part) != std::string::npos);
    }
  };
  all(text_scores("echo 1; echo 2"), "protocol", "2 lines for 3");
  all(text_scores("echo 1; echo 2; echo 3; echo 4"), "protocol", "more lines");
  all(text_scores("echo 1; echo 2; echo 3; echo broken >&2; exit 3"), "crash", "exit code 3; its last lines: broken");
  all(text_scores("sleep 100", {"completion"}, 0.3), "timeout", "too long");
  const std::vector<Score> words = text_scores("echo 1; echo good; echo nan");
  CHECK(words[0].value == 1);
  CHECK(words[1].reason == "protocol");
  CHECK(std::isnan(words[2].value));  // the sum of rewards makes an error of it
}

TEST_CASE("plugin: an environment in a process asks, answers and rewards") {
  const PoolOptions options = quick();
  const std::string body = R"(
if 'prompts' in request:
    reply({'id': request['id'], 'prompts': [{'text': '%s%d?' % (p['split'], p['index']), 'reference': {'answer': p['index']},
                                             'demonstration': str(p['index'])} for p in items]})
else:
    reply({'id': request['id'], 'steps': [{'reply': ' more', 'reward': 0.5} if len(item.get('turns', [0])) < 2
                                          else {'done': True, 'reward': 1} for item in items]})
)";
  PoolEnvironment environment(
      options.worker("game", "environment",
                     python_child(body, "x", R"("size": {"train": 5, "held_out": 2})"), {}),
      options, plugin_key({}, "game"));
  CHECK(environment.size(Split::train) == 5);
  CHECK(environment.size(Split::held_out) == 2);
  const Prompt prompt = environment.prompt(Split::held_out, 1);
  CHECK(prompt.text == "held_out1?");
  CHECK(prompt.id == prompt_id(Split::held_out, 1));
  CHECK(prompt.reference.at("answer").as_integer() == 1);
  CHECK(environment.demonstration(prompt) == "1");
  Episode first = episode("a"), second = episode("a");
  second.turns.push_back(second.turns[0]);
  const std::vector<const Episode*> waiting{&first, &second};
  const std::vector<Environment::Step> steps = environment.steps(waiting);
  REQUIRE(steps.size() == 2);
  CHECK_FALSE(steps[0].done);
  CHECK(steps[0].reply == " more");
  CHECK(steps[0].reward == 0.5);
  CHECK(steps[1].done);
  CHECK(steps[1].reward == 1);
}
