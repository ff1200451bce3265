#include <doctest/doctest.h>

#include "compiled_plugin.h"
#include "plugin/library_spec.h"
#include "plugin/wire.h"
#include "support/episodes.h"
#include "support/error_of.h"

using namespace hone;
using hone::test::compiled_plugin;

namespace {

using Config = std::vector<std::pair<std::string, std::string>>;

template <class Spec>
auto made(const std::string& source, bool isolate, Config config = {}, double timeout = 60) {
  Spec spec;
  spec.name = "mine";
  spec.config = {.library = compiled_plugin(source).string(), .isolate = isolate};
  spec.config.options.config = std::move(config);
  spec.config.options.timeout = {timeout};
  return spec.make({.seed = 3});
}

std::vector<Episode> episodes(const std::vector<std::string>& completions) {
  std::vector<Episode> made;
  for (const std::string& completion : completions) {
    Episode episode = test::episode(completion, test::answer("2.5"));
    episode.prompt.id = 2 * made.size();
    episode.sample = static_cast<std::int64_t>(made.size() % 2);
    episode.visit = 9;
    made.push_back(std::move(episode));
  }
  return made;
}

/// One line that tells every part of a score.
std::string told(const Score& score) { return score_json(score).dump(); }

std::vector<std::string> told(const std::vector<Score>& scores) {
  std::vector<std::string> lines;
  for (const Score& score : scores) lines.push_back(told(score));
  return lines;
}

}  // namespace

TEST_CASE("library isolation: a reward gives the same scores in a process of its own and in this one") {
  HONE_NEEDS_COMPILERS();
  const auto asked = episodes({"right", "abstain", "error", "nan", "huge", "nothing", "twice", "outside", "nan part",
                               "seed", "rich", "answer", "seed"});
  const auto inside = made<LibraryRewardSpec>("verdicts.c", false, {{"scale", "0.1"}});
  const auto apart = made<LibraryRewardSpec>("verdicts.c", true, {{"scale", "0.1"}});
  CHECK(apart->scope() == RewardScope::group);
  const std::vector<std::string> scores = told(inside->score(asked));
  CHECK(told(apart->score(asked)) == scores);
  CHECK(scores[9] != scores[12]);
  CHECK(apart->take_metrics() == inside->take_metrics());
  HONE_CHECK_ERROR(service, made<LibraryRewardSpec>("verdicts.c", true, {{"scale", "none"}}), "there is no scale");
}

TEST_CASE("library isolation: a plug-in that dies costs the episodes that kill it") {
  HONE_NEEDS_COMPILERS();
  const auto reward = made<LibraryRewardSpec>("crash.c", true);
  const auto expected = told(made<LibraryRewardSpec>("crash.c", false)->score(episodes({"a", "b", "c", "d"})));
  for (const char* death : {"abort", "segv", "exit"}) {
    CAPTURE(death);
    const std::vector<Score> scores = reward->score(episodes({"a", death, "c", "d"}));
    CHECK(scores[1].status == ScoreStatus::error);
    CHECK(scores[1].reason == "crash");
    CHECK(told(scores[0]) == expected[0]);
    CHECK(told(scores[2]) == expected[2]);
    CHECK(told(scores[3]) == expected[3]);
  }
  const std::vector<Score> words = reward->score(episodes({"abort"}));
  CHECK(words[0].note.find("last words") != std::string::npos);
}

TEST_CASE("library isolation: a plug-in that never returns is stopped, and started again") {
  HONE_NEEDS_COMPILERS();
  const auto reward = made<LibraryRewardSpec>("crash.c", true, {}, 1);
  const std::vector<Score> scores = reward->score(episodes({"loop"}));
  CHECK(scores[0].status == ScoreStatus::error);
  CHECK(scores[0].reason == "timeout");
  CHECK(reward->score(episodes({"a"}))[0].status == ScoreStatus::ok);
}

TEST_CASE("library isolation: an environment plays the same in a process of its own, also when that dies in between") {
  HONE_NEEDS_COMPILERS();
  const auto inside = made<LibraryEnvironmentSpec>("guess.cpp", false);
  const auto apart = made<LibraryEnvironmentSpec>("guess.cpp", true);
  CHECK(apart->size(Split::train) == inside->size(Split::train));
  const auto say = [](Environment& environment, Episode& episode, const std::string& text) {
    episode.turns.push_back({.completion = {.text = text}});
    const Environment::Step step = environment.step(episode);
    episode.turns.back().reply = step.reply;
    return step;
  };
  for (std::uint64_t index = 0; index < 3; ++index) {
    Episode here, there, killer;
    here.prompt = inside->prompt(Split::train, index);
    there.prompt = killer.prompt = apart->prompt(Split::train, index);
    CHECK(here.prompt.text == there.prompt.text);
    CHECK(here.prompt.reference == there.prompt.reference);
    CHECK(inside->demonstration(here.prompt) == apart->demonstration(there.prompt));
    for (const char* guess : {"-1", "11"}) CHECK(say(*inside, here, guess).reply == say(*apart, there, guess).reply);
    killer.sample = 1;
    const Environment::Step died = say(*apart, killer, "abort");
    CHECK(died.done);
    CHECK(!died.failure.empty());
    CHECK(say(*inside, here, "-7").reply == " higher (3)");
    CHECK(say(*apart, there, "-7").reply == " higher (3)");
  }
}
